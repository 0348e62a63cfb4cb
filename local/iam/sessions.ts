import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { PolicyDocument, RoleCaller } from './policy.ts';
import { identifier, type Role } from './roles.ts';

/** What an SDK needs to sign. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** Temporary credentials of a role. https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html */
export interface Session extends Credentials {
  readonly caller: RoleCaller;
  readonly role: Role;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly sourceIdentity: string | undefined;
  /** Given when the role was assumed; they stand before tags of the role with the same keys. */
  readonly tags: Readonly<Record<string, string>>;
  /** Access key of the session that assumed the role, when it was one. */
  readonly parent: string | undefined;
}

export interface SessionRequest {
  readonly role: Role;
  readonly name: string;
  readonly seconds: number;
  readonly sessionPolicy?: PolicyDocument | undefined;
  readonly sourceIdentity?: string | undefined;
  readonly tags?: Readonly<Record<string, string>>;
  readonly parent?: string | undefined;
}

const HOUR = 3_600_000;

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html: RoleSessionName */
export const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;

/** A session name made acceptable: other characters become `-`, and it is cut at 64. */
export const sessionName = (name: string): string =>
  name
    .replace(/[^\w+=,.@-]/g, '-')
    .slice(0, 64)
    .padEnd(2, '-');

/** The caller that a session of `role` is. */
export const callerOf = (role: Role, name: string, accessKeyId: string, sessionPolicy?: PolicyDocument): RoleCaller => {
  const account = role.arn.split(':')[4] ?? '';
  return {
    kind: 'role',
    account,
    roleArn: role.arn,
    roleName: role.name,
    // The path of a role is not part of its sessions' ARNs.
    arn: `arn:aws:sts::${account}:assumed-role/${role.name}/${name}`,
    sessionPolicy,
    accessKeyId,
  };
};

/** A fresh access key id of temporary credentials. */
export const accessKeyId = (): string => `ASIA${identifier(randomBytes(16), 16)}`;

/** Every session that was issued; secrets are random, live in memory only, and end with the runtime. */
export class Sessions {
  #clock: Clock;
  #byAccessKey = new Map<string, Session>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue({ role, name, seconds, sessionPolicy, sourceIdentity, tags = {}, parent }: SessionRequest): Session {
    this.#forgetLongExpired();
    const key = accessKeyId();
    const issuedAt = this.#clock.now();
    const session: Session = {
      accessKeyId: key,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(96).toString('base64'),
      caller: callerOf(role, name, key, sessionPolicy),
      role,
      name,
      issuedAt,
      expiresAt: issuedAt + seconds * 1000,
      sourceIdentity,
      tags,
      parent,
    };
    this.#byAccessKey.set(key, session);
    return session;
  }

  find(key: string): Session | undefined {
    return this.#byAccessKey.get(key);
  }

  /** The access key that a session descends from: its own, or that of who assumed its role, and so on. */
  origin(key: string): string {
    const parent = this.find(key)?.parent;
    return parent === undefined ? key : this.origin(parent);
  }

  /** Kept for an hour after their end, so that a late caller reads "expired" and not "unknown". */
  #forgetLongExpired(): void {
    const limit = this.#clock.now() - HOUR;
    for (const [key, session] of this.#byAccessKey) {
      if (session.expiresAt < limit) this.#byAccessKey.delete(key);
    }
  }
}
