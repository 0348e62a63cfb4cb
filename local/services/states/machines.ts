import { createHash } from 'node:crypto';
import type { Definition } from './definition.ts';
import { invalidArn, stateMachineDoesNotExist, validation } from './api-errors.ts';

/** Encryption with a customer managed key; undefined for the key that AWS owns. */
export interface Encryption {
  readonly keyId: string;
  /** How long a data key is reused. */
  readonly reuseSeconds: number;
}

/** An immutable state of a machine: what an execution is started with and runs to its end. */
export interface Revision {
  readonly id: string;
  readonly definition: Definition;
  /** The definition as it was given. */
  readonly source: string;
  readonly roleArn: string;
  readonly encryption: Encryption | undefined;
  /** When it was made, in virtual time. */
  readonly since: number;
}

export interface Machine {
  readonly arn: string;
  readonly name: string;
  latest: Revision;
  /** Published versions: version 1 is the first element. */
  readonly versions: Revision[];
  /** Number of the version that each alias points to. */
  readonly aliases: Map<string, number>;
}

/** What an ARN that was given to StartExecution or ListExecutions stands for. */
export interface Target {
  readonly machine: Machine;
  readonly revision: Revision;
  readonly versionArn: string | undefined;
  readonly aliasArn: string | undefined;
}

/** The parts of a state machine's, version's or alias's ARN. */
export interface MachineArn {
  /** ARN without the qualifier: the one that permissions are about. */
  readonly unqualified: string;
  readonly qualifier: string | undefined;
}

/** Parses an ARN of a state machine of this account and region. Throws `InvalidArn`, or `ValidationException` for a label of a map. */
export function parseMachineArn(arn: string, region: string, account: string): MachineArn {
  const parts = /^arn:aws:states:([^:]+):([^:]+):stateMachine:([^:]{1,160})(?::([^:]+))?$/.exec(arn);
  if (parts === null || parts[1] !== region || parts[2] !== account) throw invalidArn(arn);
  if (parts[3]?.includes('/') === true) throw validation(`Value '${arn}' refers to a Distributed Map state`);
  return { unqualified: parts[4] === undefined ? arn : arn.slice(0, -parts[4].length - 1), qualifier: parts[4] };
}

/** The state machines of the template, with their versions and aliases. */
export class Machines {
  #machines = new Map<string, Machine>();

  /** Creates the machine, or gives it a new revision when it exists. */
  put(arn: string, name: string, revision: Omit<Revision, 'id'>): Machine {
    const identity = JSON.stringify([revision.source, revision.roleArn, revision.encryption ?? null]);
    const latest = { ...revision, id: createHash('sha256').update(identity).digest('hex').slice(0, 32) };
    const existing = this.#machines.get(arn);
    if (existing !== undefined) {
      existing.latest = latest;
      return existing;
    }
    const machine: Machine = { arn, name, latest, versions: [], aliases: new Map() };
    this.#machines.set(arn, machine);
    return machine;
  }

  find(arn: string): Machine | undefined {
    return this.#machines.get(arn);
  }

  /**
   * Publishes the latest revision and returns its version's ARN; publishing the same revision again returns the same version.
   * https://docs.aws.amazon.com/step-functions/latest/apireference/API_PublishStateMachineVersion.html
   */
  publish(machine: Machine): string {
    if (machine.versions.at(-1)?.id !== machine.latest.id) machine.versions.push(machine.latest);
    return `${machine.arn}:${machine.versions.length}`;
  }

  /**
   * What `arn` stands for now. An unqualified ARN means the latest revision.
   * https://docs.aws.amazon.com/step-functions/latest/dg/execution-alias-version-associate.html
   */
  resolve({ unqualified, qualifier }: MachineArn): Target {
    const machine = this.#machines.get(unqualified);
    if (machine === undefined) throw stateMachineDoesNotExist(unqualified);
    if (qualifier === undefined)
      return { machine, revision: machine.latest, versionArn: undefined, aliasArn: undefined };
    const alias = machine.aliases.get(qualifier);
    const number = alias ?? (/^\d+$/.test(qualifier) ? Number(qualifier) : 0);
    const revision = machine.versions[number - 1];
    if (revision === undefined) throw stateMachineDoesNotExist(`${unqualified}:${qualifier}`);
    return {
      machine,
      revision,
      versionArn: `${unqualified}:${number}`,
      aliasArn: alias === undefined ? undefined : `${unqualified}:${qualifier}`,
    };
  }
}
