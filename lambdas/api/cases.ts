import type { z } from 'zod';
import { type clarificationBody, type submitBody } from '../contracts/api-bodies.ts';
import { takesPart } from '../domain/canary.ts';
import { hasRole, holds, type Person } from '../domain/people.ts';
import { PHASES, isFinal, type Phase } from '../domain/phases.ts';
import type { Case } from '../domain/case.ts';
import type { CaseId, PersonId } from '../domain/ids.ts';
import { digestOf } from '../evidence/digest.ts';
import { loadCase } from '../platform/case-store.ts';
import { listOfAgency, listOpen } from '../platform/case-index.ts';
import type { Page, Position } from '../platform/index-query.ts';
import type { CaseHead } from '../platform/case-head.ts';
import { dynamodb } from '../platform/dynamodb.ts';
import { Conflict, FileBehind, NotFound } from '../platform/errors.ts';
import { openCase, type Exchange } from '../platform/execute.ts';
import { newCaseId } from '../platform/identifiers.ts';
import { eventsFor } from './event-view.ts';
import { answerWithCase, asOf, before, keyed, mutate, recordFor } from './mutation.ts';
import { SEE_ALL, sideOf, visibleCase, type Caller } from './visibility.ts';
import { Problematic } from './problems.ts';
import { caseIdIn, type Answer, type ApiRequest } from './request.ts';

/** POST /v1/cases */
export async function submitRequest(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const body = request.body as z.infer<typeof submitBody>; // checked by the route's schema
  const key = keyed(request, caller);
  const again = async (): Promise<Answer | undefined> => {
    const record = await before(key);
    if (record === undefined) return undefined;
    const caseId = record.caseId as CaseId; // written with that case's first event
    const file = await loadCase(dynamodb, exchange.casesTable, caseId).catch((error: unknown) => {
      throw error instanceof NotFound ? new FileBehind('The file of this case is gone.') : error;
    });
    return opened(request, caller, asOf(file, record.sequence));
  };
  const earlier = await again();
  if (earlier !== undefined) return earlier;
  const caseId = newCaseId();
  try {
    const { reference, previousCase, ...rest } = body;
    const file = await openCase(
      exchange,
      caller,
      {
        type: 'SubmitRequest',
        caseId,
        request: {
          ...rest,
          levelSought: { ...body.levelSought, nation: exchange.originatingNation },
          recipients: body.recipients as PersonId[], // checked by the route's schema
          ...(reference === undefined ? {} : { reference }),
          ...(previousCase === undefined ? {} : { previousCase: await earlierCase(exchange, caller, previousCase) }),
        },
      },
      recordFor(key, caseId, exchange),
    );
    return opened(request, caller, file.state);
  } catch (error) {
    const twin = error instanceof Conflict ? await again() : undefined;
    if (twin !== undefined) return twin;
    throw error;
  }
}

/** The answer to a submission, and to the same one sent again: the case, and where it is from now on. */
function opened(request: ApiRequest, caller: Caller, state: Case): Answer {
  const answer = answerWithCase(request, caller, state);
  return { ...answer, headers: { ...answer.headers, Location: `/v1/cases/${state.caseId}` } };
}

/** A request may refer to an earlier case of one's own, and to no other: its existence is not to be probed. */
async function earlierCase(exchange: Exchange, caller: Caller, caseId: string): Promise<CaseId> {
  return (await visibleCase(exchange, caseId as CaseId, caller)).state.caseId; // its form was checked by the route's schema
}

const summaryOf = (head: CaseHead): object => ({
  caseId: head.caseId,
  phase: head.phase,
  registerNumber: head.registerNumber ?? null,
  exercise: head.exercise,
  title: head.title,
  agreementId: head.agreementId,
  requestingAgency: head.requestingAgency,
  openedAt: head.openedAt,
  changedAt: head.changedAt,
  dueAt: head.dueAt ?? null,
});

const wrongQuery = (name: string, allowed: string): Problematic =>
  new Problematic({
    status: 400,
    code: 'INVALID_QUERY',
    detail: `The query parameter ${name} is not valid. Allowed: ${allowed}.`,
    next: 'Correct the parameter.',
  });

/** How many rows a page is to have. */
export function limitIn(request: ApiRequest): number {
  const text = request.query['limit'] ?? '20';
  const limit = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > 50) throw wrongQuery('limit', '1 to 50');
  return limit;
}

/** What is listed, and for whom. */
type ListName = readonly string[];

/**
 * A cursor carries a place in a list, and a digest of which list that is: one of another list or another caller's, and a changed one, is
 * refused (row 11 of the abuse list). The digest has no secret in it, and needs none: who computes one gets to a place in their own list,
 * because which list is read follows from the caller, and a place names no case but one that was on a page.
 */
function cursorIn(request: ApiRequest, list: ListName): Position | undefined {
  const text = request.query['cursor'];
  if (text === undefined) return undefined;
  const [, sort, caseId] =
    /^(\d{4}-\d{2}-\d{2}T[\d:.]{12}Z)#([0-9a-f]{32})#/.exec(Buffer.from(text, 'base64url').toString('utf8')) ?? [];
  const place = sort === undefined || caseId === undefined ? undefined : { sort, caseId };
  if (place === undefined || text !== cursorOf(place, list))
    throw wrongQuery('cursor', 'the `next` of the page before');
  return place;
}

function cursorOf(place: Position, list: ListName): string {
  const digest = digestOf({ ...place, list }, 'valiza/cursor/1');
  return Buffer.from(`${place.sort}#${place.caseId}#${digest}`).toString('base64url');
}

interface Listed extends Page {
  readonly list: ListName;
}

const isPhase = (text: string): text is Phase => Object.hasOwn(PHASES, text);
const OPEN_PHASES = Object.keys(PHASES).filter((phase) => isPhase(phase) && !isFinal(phase));

async function queue(exchange: Exchange, request: ApiRequest, person: Person, limit: number): Promise<Listed> {
  const ours = person.nation === exchange.originatingNation;
  const works = ours ? hasRole(person, ...SEE_ALL) : hasRole(person, 'competent-authority');
  if (!works) {
    throw new Problematic({
      status: 403,
      code: 'NO_QUEUE',
      detail: 'Your roles give you no work queue here.',
      next: "Read a case by its id, as the mail about it names it. Requesters list their agency's own with view=own.",
    });
  }
  const phase = request.query['phase'] ?? (ours ? 'UNDER_REVIEW' : 'AWAITING_ASSURANCE');
  // A case that has ended is in no queue; an empty page would say that there is none.
  if (!isPhase(phase) || isFinal(phase)) throw wrongQuery('phase', OPEN_PHASES.join(', '));
  const list = ['queue', person.nation, person.personId, phase];
  const theirs = (head: CaseHead): boolean => ours || head.recipientNation === person.nation;
  const page = await listOpen(dynamodb, exchange.casesTable, phase, limit, cursorIn(request, list), (head) => {
    return theirs(head) && takesPart(head, person);
  });
  return { ...page, list };
}

/** GET /v1/cases */
export async function listCases(exchange: Exchange, request: ApiRequest, { person }: Caller): Promise<Answer> {
  const view = request.query['view'] ?? (holds(person, 'requester') ? 'own' : 'queue');
  const limit = limitIn(request);
  if (view !== 'own' && view !== 'queue') throw wrongQuery('view', 'own, queue');
  const page =
    view === 'queue' ? await queue(exchange, request, person, limit) : await ownCases(exchange, request, person, limit);
  const next = page.next === undefined ? null : cursorOf(page.next, page.list);
  return { status: 200, body: { cases: page.heads.map(summaryOf), next } };
}

/** An agency's requests, for its requesters alone. */
async function ownCases(exchange: Exchange, request: ApiRequest, person: Person, limit: number): Promise<Listed> {
  const list = ['own', person.nation, person.agency];
  if (!holds(person, 'requester')) return { heads: [], next: undefined, list };
  return { ...(await listOfAgency(dynamodb, exchange.casesTable, person, limit, cursorIn(request, list))), list };
}

/** GET /v1/cases/{caseId} */
export async function readCase(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const { state } = await visibleCase(exchange, caseIdIn(request), caller);
  return answerWithCase(request, caller, state);
}

/** GET /v1/cases/{caseId}/events */
export async function readEvents(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const file = await visibleCase(exchange, caseIdIn(request), caller);
  const side = sideOf(file.state, caller.person) ?? 'recipient';
  return { status: 200, body: { caseId: file.state.caseId, events: eventsFor(side, caller.person, file.written) } };
}

/** POST /v1/cases/{caseId}/clarifications */
export async function clarify(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const body = request.body as z.infer<typeof clarificationBody>; // checked by the route's schema
  const state = await mutate(
    exchange,
    request,
    caller,
    caseIdIn(request),
    'question' in body
      ? { type: 'SeekClarification', question: body.question }
      : { type: 'AnswerClarification', answer: body.answer, amendments: amendmentsOf(body.amendments ?? {}) },
  );
  return answerWithCase(request, caller, state);
}

type Amendments = NonNullable<Extract<z.infer<typeof clarificationBody>, { answer: string }>['amendments']>;

function amendmentsOf({ title, description, justification, recipients }: Amendments) {
  return {
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(justification === undefined ? {} : { justification }),
    ...(recipients === undefined ? {} : { recipients: recipients as PersonId[] }), // checked by the route's schema
  };
}
