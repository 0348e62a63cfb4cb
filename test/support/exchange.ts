import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Api } from '../../bin/client/api.ts';
import { asProposed, type ProposedEntry } from '../../bin/client/directory-entries.ts';
import { ProblemError } from '../../bin/client/errors.ts';
import { fingerprintOf, readKey, writeNewKey, type RecipientKeyFile } from '../../bin/client/key-files.ts';
import { startExchange, type ExchangeOptions, type LocalExchange } from '../../bin/local/exchange.ts';
import { PEOPLE } from '../../examples/exercise/people.ts';
import { enterPeople } from '../../examples/exercise/set-up.ts';
import type { CaseView, Problem } from '../../lambdas/contracts/api-answers.ts';
import type { BodyOf } from '../../lambdas/contracts/routes.ts';
import type { CaseId, Digest } from '../../lambdas/domain/ids.ts';
import type { Person } from '../../lambdas/domain/people.ts';
import type { Phase } from '../../lambdas/domain/phases.ts';
import { verifyChain, type ChainedEvent } from '../../lambdas/evidence/chain.ts';
import { physicalName } from '../../local/template/physical-name.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Ids of the people of an exchange, by their part in a case of it. */
export interface Parts {
  readonly desk: string;
  readonly releasing: string;
  readonly releasing2: string;
  readonly security: string;
  /** The competent authority of the nation that decides. */
  readonly authority: string;
  readonly requester: string;
  readonly recipient: string;
  /** The competent authority of the nation that asks. */
  readonly recipientAuthority: string;
}

type Submission = BodyOf<'submitRequest'>;
type ProposalBody = BodyOf<'putProposal'>;

export interface ProposalWish extends Partial<Omit<ProposalBody, 'documents' | 'notBefore' | 'notAfter'>> {
  /** Contents of the documents; one short document unless told. */
  readonly contents?: readonly Buffer[];
  /** Of every document. */
  readonly mark?: string;
  /** Milliseconds from now; at once unless told. */
  readonly opensIn?: number;
  /** Milliseconds from now; a day unless told. */
  readonly endsIn?: number;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Phases to which {@link Scene.reach} brings a new case. */
export type Reachable =
  'UNDER_REVIEW' | 'AWAITING_CLARIFICATION' | 'PROPOSED' | 'AWAITING_ASSURANCE' | 'RELEASED' | 'SUSPENDED';

/** An exchange with its people, and what they usually do. */
export interface Scene {
  readonly exchange: LocalExchange;
  readonly runtime: LocalExchange['runtime'];
  /** Folder of its own, removed when the scene is closed. */
  readonly folder: string;
  readonly nation: 'CAN' | 'UKR';
  /** The mark of what the exchange releases unless told. */
  readonly mark: string;
  readonly who: Parts;
  as(personId: string): Api;
  /** The key pair that was made for a recipient here. */
  keyOf(personId: string): Promise<RecipientKeyFile>;
  fingerprintOf(personId: string): Promise<Digest>;
  /** Sends a request as it stands, with that person's credential. */
  raw(
    personId: string,
    method: string,
    path: string,
    headers?: Record<string, string>,
    body?: string,
  ): Promise<RawAnswer>;
  /** Submits a request and waits for nothing. @returns the id of its case */
  ask(wish?: Partial<Submission>, by?: string): Promise<string>;
  /** Submits a request and waits until it is assessed. */
  submit(wish?: Partial<Submission>, by?: string): Promise<CaseView>;
  /** Announces, uploads and completes a deposit; answers its id. */
  deposit(caseId: string, content: Buffer): Promise<string>;
  /** Deposits documents and proposes them. */
  propose(caseId: string, wish?: ProposalWish): Promise<CaseView>;
  approve(seen: CaseView, by: string): Promise<CaseView>;
  /** Gives the recipient authority's assurance. */
  assure(seen: CaseView): Promise<CaseView>;
  /** A new case in a phase (`PROPOSED`: under review, with a proposal and no vote), as the desk officer sees it. */
  reach(phase: Reachable, wish?: ProposalWish): Promise<CaseView>;
  read(caseId: string, by?: string): Promise<CaseView>;
  /** Waits until nothing is under way and the case stands in a phase. @throws when it does not get there */
  waitFor(caseId: string, phase: Phase, by?: string): Promise<CaseView>;
  /** Changes a person's entry as two of their nation's officers do. */
  change(personId: string, change: Partial<Person>, effectiveFrom?: string): Promise<void>;
  /** Enters a new recipient of the asking nation, with a key pair that is kept as theirs. */
  enterRecipient(personId: string): Promise<void>;
  /** Names of the states that were entered by the executions of a case, in order. */
  statesEntered(caseId: string): string[][];
  /** Name of the role whose logical id begins so: `closereleaseRole`, `ReleaseAccessRole`. */
  roleNamed(prefix: string): string;
  /** Keys of the objects of a case that lie in a bucket with any content: what was destroyed leaves an empty one for a day. */
  objectsOf(caseId: string, bucket: 'deposits' | 'packages'): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface SceneOptions extends Partial<ExchangeOptions> {
  /** A folder that outlives this scene. */
  readonly folder?: string;
  /** Whether people are entered; they are unless told. */
  readonly people?: boolean;
}

const partsOf = (nation: 'CAN' | 'UKR'): Parts => {
  const [own, other] = nation === 'CAN' ? ['can', 'ukr'] : ['ukr', 'can'];
  return {
    desk: `${own}-desk-1`,
    releasing: `${own}-releasing-1`,
    releasing2: `${own}-releasing-2`,
    security: `${own}-security-1`,
    authority: `${own}-authority-1`,
    requester: `${other}-requester-1`,
    recipient: `${other}-recipient-1`,
    recipientAuthority: `${other}-authority-1`,
  };
};

const MARKS = { CAN: 'PROTECTED A', UKR: 'Для службового користування' };

export const sha256 = (content: Uint8Array): Digest => `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** Verifies the chain of a case file as the originator is shown it. @throws ChainBroken */
export const verifyWhole = (caseId: string, events: readonly object[]): void =>
  // What the API leaves out because it is the same in each event; verifyChain looks at everything else.
  verifyChain(caseId as CaseId, events.map((event) => ({ ...event, caseId })) as ChainedEvent[]);

/** How long something may take on a machine that is busy, in milliseconds: a bound for what never happens. */
const NEVER = 60_000;

/** Waits until a condition gives something else than undefined. @throws with `what` when it never does */
export async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const start = performance.now(); performance.now() - start < NEVER;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`It never happened: ${what}.`);
}

/** The problem that a call is answered with. @throws when the call succeeds, or fails otherwise */
export async function problemOf(call: Promise<unknown>): Promise<Problem> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
  throw new Error('The call was accepted; a problem was expected.');
}

/** Status and code of the problem that a call is answered with: `403 NOT_YOUR_PART`. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  const { status, code } = await problemOf(call);
  return `${status} ${code}`;
}

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

/** Resources of a template by their logical ids. */
export const resourcesOf = (template: Record<string, unknown>): [string, Resource][] =>
  Object.entries(template['Resources'] as Record<string, Resource>); // as every synthesised template has them

/** Boots an exchange of the exercise with its people. One per test file is enough. */
export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const { folder: kept, people = true, amend, ...rest } = options;
  const environment = options.environment ?? 'can-local';
  const nation = environment.startsWith('can') ? 'CAN' : 'UKR';
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'valiza-exchange-')));
  const keysFolder = join(folder, 'keys');
  const named: { readonly type: string; readonly logicalId: string; readonly name: string }[] = [];
  const exchange = await startExchange({
    ...rest,
    environment,
    exerciseFolder: join(folder, 'exercise'),
    amend(stack, template) {
      for (const [logicalId, { Type: type }] of resourcesOf(template))
        named.push({ type, logicalId, name: physicalName(stack, logicalId) });
      amend?.(stack, template);
    },
  });
  const { runtime } = exchange;
  const nameOf = (type: string, prefix: string): string => {
    const found = named.find((row) => row.type === type && row.logicalId.startsWith(prefix));
    if (found === undefined) throw new Error(`No ${type} of the templates begins with ${prefix}.`);
    return found.name;
  };
  const at = (): string => new Date(runtime.clock.now()).toISOString();
  if (people) await enterPeople({ apiAs: (personId) => exchange.as(personId), keysFolder, at: at() });
  const entries = new Map<string, ProposedEntry>();
  const who = partsOf(nation);
  const mark = MARKS[nation];

  const keyOf = (personId: string): Promise<RecipientKeyFile> => readKey(join(keysFolder, `${personId}.json`));

  /** The entry as it stands: as of the exercise, or as it was changed here. */
  const entryOf = async (personId: string): Promise<ProposedEntry> => {
    const known = entries.get(personId);
    if (known !== undefined) return known;
    const person = PEOPLE.find((row) => row.personId === personId);
    if (person === undefined) throw new Error(`${personId} is not a person of the exercise.`);
    const publicKeys = personId.includes('-recipient-') ? [(await keyOf(personId)).publicKey] : [];
    return { ...asProposed(person), publicKeys };
  };

  const enter = async (entry: ProposedEntry, effectiveFrom?: string): Promise<void> => {
    const own = entry.personId.slice(0, 3);
    const body = { person: entry, ...(effectiveFrom === undefined ? {} : { effectiveFrom }) };
    const { changeId } = await scene.as(`${own}-directory-1`).proposeChange({ body });
    await scene.as(`${own}-authority-1`).confirmChange({ params: { changeId }, body: {} });
    entries.set(entry.personId, entry);
  };

  const scene: Scene = {
    exchange,
    runtime,
    folder,
    nation,
    mark,
    who,
    as: (personId) => exchange.as(personId),
    keyOf,
    fingerprintOf: async (personId) => fingerprintOf((await keyOf(personId)).publicKey),
    async raw(personId, method, path, headers = {}, body) {
      const { credential } = exchange.connectionAs(personId);
      const answer = await fetch(runtime.url + path, {
        method,
        headers: {
          authorization: `Bearer ${(await credential?.token()) ?? ''}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    },
    async ask(wish = {}, by = who.requester) {
      const body = {
        agreementId: 'CAN-UKR-EXERCISE',
        purpose: 'tender',
        justification: 'To bid on the solicitation of the exercise.',
        title: 'Tender documents',
        description: 'The tender file of the exercise.',
        levelSought: { axis: 'protected' as const, mark },
        recipients: [who.recipient],
        language: 'en' as const,
        ...wish,
      };
      return (await scene.as(by).submitRequest({ body })).caseId;
    },
    async submit(wish = {}, by = who.requester) {
      const caseId = await scene.ask(wish, by);
      return until('the request was assessed', async () => {
        await runtime.settled();
        const seen = await scene.read(caseId, by);
        return seen.phase === 'SUBMITTED' ? undefined : seen;
      });
    },
    async deposit(caseId, content) {
      const desk = scene.as(who.desk);
      const body = { digest: sha256(content), length: content.length };
      const { depositId, upload } = await desk.openDeposit({ params: { caseId }, body });
      if (upload === undefined) throw new Error('The deposit has no address.');
      // Fetch sets the length by itself, from the same bytes.
      const { ['content-length']: _length, ...headers } = upload.headers;
      const answer = await fetch(upload.url, { method: 'PUT', headers, body: Uint8Array.from(content) });
      if (answer.status !== 200) throw new Error(`The store answered ${answer.status}: ${await answer.text()}`);
      await desk.completeDeposit({ params: { caseId, depositId }, body: {} });
      return depositId;
    },
    async propose(caseId, wish = {}) {
      const { contents = [Buffer.from('EXERCISE tender')], opensIn, endsIn = DAY, mark: own = mark, ...body } = wish;
      const documents = [];
      for (const [index, content] of contents.entries()) {
        documents.push({
          depositId: await scene.deposit(caseId, content),
          title: `Document ${index + 1}`,
          marking: { axis: 'protected' as const, mark: own },
          pages: index + 1,
        });
      }
      const now = runtime.clock.now();
      return scene.as(who.desk).putProposal({
        params: { caseId },
        body: {
          documents,
          recipients: [{ personId: who.recipient, keyFingerprint: await scene.fingerprintOf(who.recipient) }],
          conditions: ['For this tender only.'],
          copies: 2,
          ...(opensIn === undefined ? {} : { notBefore: new Date(now + opensIn).toISOString() }),
          notAfter: new Date(now + endsIn).toISOString(),
          ...body,
        },
      });
    },
    approve: ({ caseId, proposalDigest = '' }, by) =>
      scene.as(by).castDecision({ params: { caseId }, proposalDigest, body: { verdict: 'approve' } }),
    assure: ({ caseId, proposalDigest = '' }) =>
      scene.as(who.recipientAuthority).giveAssurance({ params: { caseId }, body: { verdict: 'give', proposalDigest } }),
    async reach(phase, wish) {
      const { caseId } = await scene.submit();
      if (phase === 'UNDER_REVIEW') return scene.waitFor(caseId, 'UNDER_REVIEW');
      if (phase === 'AWAITING_CLARIFICATION') {
        return scene.as(who.desk).clarify({ params: { caseId }, body: { question: 'Which lot do you bid on?' } });
      }
      const proposed = await scene.propose(caseId, wish);
      if (phase === 'PROPOSED') return proposed;
      await scene.approve(proposed, who.releasing);
      await scene.approve(proposed, who.security);
      if (phase === 'AWAITING_ASSURANCE') return scene.waitFor(caseId, 'AWAITING_ASSURANCE');
      await scene.assure(proposed);
      const released = await scene.waitFor(caseId, 'RELEASED');
      if (phase === 'RELEASED') return released;
      return scene.as(who.authority).suspendRelease({ params: { caseId }, body: { reason: 'Something is unclear.' } });
    },
    read: (caseId, by = who.desk) => scene.as(by).readCase({ params: { caseId } }),
    async waitFor(caseId, phase, by) {
      let seen: CaseView | undefined;
      return until(`the case stands in ${phase}`, async () => {
        await runtime.settled();
        seen = await scene.read(caseId, by);
        return seen.phase === phase ? seen : undefined;
      }).catch((error: unknown) => {
        const denied = runtime.denials().map(({ caller, action, resource }) => `${caller} ${action} ${resource}`);
        throw new Error(`The case stands in ${seen?.phase}, not in ${phase}. Denied: ${denied.join('; ')}`, {
          cause: error,
        });
      });
    },
    async change(personId, change, effectiveFrom) {
      const { keys: changedKeys, nation: _kept, ...rest } = change;
      await enter(
        {
          ...(await entryOf(personId)),
          ...(structuredClone(rest) as Partial<ProposedEntry>), // the same members, which are lists that can be written
          ...(changedKeys === undefined ? {} : { publicKeys: changedKeys.map((key) => key.publicKey) }),
        },
        effectiveFrom,
      );
    },
    async enterRecipient(personId) {
      const { publicKey } = await writeNewKey(join(keysFolder, `${personId}.json`), personId);
      const like = await entryOf(who.recipient);
      const subjects = like.subjects.map((subject) => subject.replace(who.recipient, personId));
      const mail = `${personId}@exercise.valiza.example`;
      await enter({ ...like, personId, subjects, mail, publicKeys: [publicKey] });
    },
    statesEntered: (caseId) =>
      runtime.services.states
        .executions()
        .filter(({ name }) => name.startsWith(caseId))
        .sort((one, other) => (one.name < other.name ? -1 : 1))
        .map(({ arn }) =>
          runtime.services.states
            .history(arn)
            .filter(({ type }) => type.endsWith('StateEntered'))
            .map(({ details }) => String(details['stateEnteredEventDetails']?.['name'])),
        ),
    roleNamed: (prefix) => nameOf('AWS::IAM::Role', prefix),
    async objectsOf(caseId, bucket) {
      const client = new S3Client({
        endpoint: runtime.url,
        forcePathStyle: true,
        region: runtime.region,
        credentials: runtime.credentialsFor(scene.roleNamed('closereleaseRole')),
      });
      try {
        const list = { Bucket: `valiza-${environment}-${bucket}-${runtime.account}`, Prefix: `${caseId}/` };
        const { Contents = [] } = await client.send(new ListObjectsV2Command(list));
        return Contents.filter(({ Size }) => Size !== 0).map(({ Key = '' }) => Key);
      } finally {
        client.destroy();
      }
    },
    async close() {
      await exchange.stop();
      if (kept === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
  return scene;
}
