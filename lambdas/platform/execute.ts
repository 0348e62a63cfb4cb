import { decide } from '../domain/decide.ts';
import type { Command, Context, SubmitRequest } from '../domain/commands.ts';
import type { RecordedActor } from '../domain/events.ts';
import type { CaseId, Nation, PersonId } from '../domain/ids.ts';
import { fromEpoch, toEpoch, type Instant } from '../domain/instant.ts';
import type { Actor, Person } from '../domain/people.ts';
import { isRefusal } from '../domain/refusal.ts';
import { isFinal } from '../domain/phases.ts';
import { referenceInUse, submit } from '../domain/submit.ts';
import { digestOf } from '../evidence/digest.ts';
import { agreementById, agreementByPin } from './agreements.ts';
import {
  commitCase,
  loadCase,
  type CaseFile,
  type CaseTables,
  type Commit,
  type IdempotencyRecord,
} from './case-store.ts';
import type { Directory } from './directory-store.ts';
import { dynamodb } from './dynamodb.ts';
import { Conflict, Refused } from './errors.ts';
import { latestUnder } from './references.ts';

/** Where a function finds the cases and the people, and for which nation it acts. */
export interface Exchange extends CaseTables {
  readonly originatingNation: Nation;
  readonly directory: Directory;
  readonly now: () => Instant;
}

/** Optional company of a command on its way into the case file. */
interface Beside {
  readonly idempotency?: IdempotencyRecord;
  readonly register?: Commit['register'];
}

/** How often a command is decided again after somebody was faster. */
const TRIES = 8;

export const recordedActor = (actor: Actor): RecordedActor =>
  actor.kind === 'system'
    ? actor
    : { kind: 'person', personId: actor.person.personId, nation: actor.person.nation, agency: actor.person.agency };

const byId = (people: readonly Person[]): ReadonlyMap<PersonId, Person> =>
  new Map(people.map((person) => [person.personId, person]));

/** Never before the last event: clocks of two functions may differ, the order of the file may not. */
const notBefore = (now: Instant, file: CaseFile): Instant =>
  fromEpoch(Math.max(toEpoch(now), toEpoch(file.state.changedAt)));

/** The command, or a function of the file that gives it (undefined: nothing to do). */
export type CommandFor = Command | ((file: CaseFile) => Command | undefined | Promise<Command | undefined>);

/**
 * Executes a command on a case: load, decide, commit; when somebody was faster, again. There is no other way to change a case.
 * @throws Refused when the domain says no, NotFound, Conflict after {@link TRIES} lost races
 */
export async function execute(
  exchange: Exchange,
  caseId: CaseId,
  actor: Actor,
  commandFor: CommandFor,
  beside: (file: CaseFile) => Beside = () => ({}),
): Promise<CaseFile> {
  for (let tries = 1; ; tries += 1) {
    const file = await loadCase(dynamodb, exchange.casesTable, caseId);
    const command = typeof commandFor === 'function' ? await commandFor(file) : commandFor;
    if (command === undefined) return file;
    const at = notBefore(exchange.now(), file);
    const context: Context = {
      now: at,
      actor,
      originatingNation: exchange.originatingNation,
      agreement: agreementByPin(file.state.agreement),
      pin: file.state.agreement,
      people: byId(await concerned(exchange, command, file, at)),
      digest: digestOf,
    };
    const outcome = decide(file.state, command, context);
    if (isRefusal(outcome)) throw new Refused(outcome);
    if (outcome.length === 0) return file;
    try {
      const commit = { caseId, file, events: outcome, actor: recordedActor(actor), at, ...beside(file) };
      return await commitCase(dynamodb, exchange, commit);
    } catch (error) {
      if (!(error instanceof Conflict) || tries === TRIES) throw error;
    }
  }
}

/** People whom a command's guards ask about; most ask about nobody but the actor. */
async function concerned(
  exchange: Exchange,
  command: Command,
  file: CaseFile,
  at: Instant,
): Promise<readonly Person[]> {
  const { directory } = exchange;
  switch (command.type) {
    case 'RecordAssessment':
    case 'LookAtClock':
    case 'OpenRelease':
    case 'Resume':
      return directory.people(file.state.originatingNation, at);
    case 'PutProposal':
    case 'AnswerClarification':
      return directory.people(file.state.recipientNation, at);
    default:
      return [];
  }
}

/**
 * The reference of a request, free to be taken: an agency finds its request by it, so while one is open no other bears it. Once that has ended,
 * the same may be asked again under it (domain.md §2).
 * @throws Refused when it is in use
 */
async function freeReference(
  exchange: Exchange,
  { nation, agency }: Person,
  reference: string | undefined,
): Promise<Commit['reference']> {
  if (reference === undefined) return undefined;
  const taken = { nation, agency, reference };
  const before = await latestUnder(dynamodb, exchange.casesTable, taken);
  if (before !== undefined) {
    const { state } = await loadCase(dynamodb, exchange.casesTable, before);
    if (!isFinal(state.phase)) throw new Refused(referenceInUse(before));
  }
  return { taken, before };
}

/** Opens a case with its first event. @throws Refused, or Conflict when the idempotency key or the id is taken */
export async function openCase(
  exchange: Exchange,
  actor: Extract<Actor, { kind: 'person' }>,
  command: SubmitRequest,
  idempotency: IdempotencyRecord,
): Promise<CaseFile> {
  const at = exchange.now();
  const { agreement, pin } = agreementById(command.request.agreementId);
  const outcome = submit(command, {
    now: at,
    actor,
    originatingNation: exchange.originatingNation,
    agreement,
    pin,
    people: byId(await exchange.directory.people(actor.person.nation, at)),
    digest: digestOf,
  });
  if (isRefusal(outcome)) throw new Refused(outcome);
  const reference = await freeReference(exchange, actor.person, command.request.reference);
  return commitCase(dynamodb, exchange, {
    ...(reference === undefined ? {} : { reference }),
    caseId: command.caseId,
    file: undefined,
    events: outcome,
    actor: recordedActor(actor),
    at,
    idempotency,
  });
}
