import { EVENT_SCHEMA, EventNotUnderstood, parseCaseEvent, schemaOf } from '../../../lambdas/contracts/event-schema.ts';
import { InvariantBroken } from '../../../lambdas/domain/case.ts';
import type { CaseEvent, EventType } from '../../../lambdas/domain/events.ts';
import { plus } from '../../../lambdas/domain/instant.ts';
import { genesis, link } from '../../../lambdas/evidence/chain.ts';
import {
  CASE_ID,
  PEOPLE,
  SCENES,
  SYSTEM,
  by,
  commandsFor,
  due,
  give,
  given,
  peopleById,
  proposed,
  sealing,
  submitted,
  type Scene,
} from '../../support/domain.ts';

const suspended = (): Scene => SCENES.SUSPENDED();
const resumed = (): Scene =>
  give(give(suspended(), 'Resume', by(PEOPLE.releasing)), 'Resume', by(PEOPLE.originatorAuthority));

/** Cases that between them contain every type of event. */
const FILES: readonly Scene[] = [
  SCENES.CLOSED(),
  SCENES.LAPSED(),
  SCENES.WITHDRAWN(),
  SCENES.REFUSED(),
  give(SCENES.AWAITING_ASSURANCE(), 'DeclineAssurance', by(PEOPLE.recipientAuthority)),
  give(
    given(
      SCENES.AWAITING_CLARIFICATION(),
      { type: 'AnswerClarification', answer: 'Yes.', amendments: { title: 'Another title', recipients: [] } },
      by(PEOPLE.requester),
    ),
    'RecordFailure',
    SYSTEM,
  ),
  give(give(resumed(), 'RecordAccessFailure', SYSTEM), 'RecordExpiry', SYSTEM, { now: due(resumed()) }),
  give(SCENES.RELEASED(), 'AcknowledgeReceipt', by(PEOPLE.recipient)),
  give(SCENES.REFUSED(), 'RecordDepositsDestroyed', SYSTEM),
  give(sealing(), 'OpenRelease', SYSTEM, { now: due(sealing()) }),
  submitted({ previousCase: CASE_ID }),
  give(proposed(), 'LookAtClock', SYSTEM, { now: plus(due(proposed()), -1), context: { people: peopleById([]) } }),
  give(SCENES.REFUSED(), 'RecordUndelivered', SYSTEM),
];
const EVENTS: readonly CaseEvent[] = FILES.flatMap(({ events }) => events);

/** As the store keeps it. */
const stored = (event: CaseEvent): Record<string, unknown> =>
  JSON.parse(JSON.stringify(event)) as Record<string, unknown>;

const first = (type: EventType): Record<string, unknown> => {
  const event = EVENTS.find((candidate) => candidate.type === type);
  if (event === undefined) throw new Error(`No scene contains ${type}`);
  return stored(event);
};

describe('what is not understood is refused', () => {
  const assessed = first('RequestAssessed');
  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /An event is an object/],
    ['null', null, /An event is an object/],
    ['a text', 'RequestSubmitted', /An event is an object/],
    [
      'no version',
      { ...assessed, schemaVersion: undefined },
      /schema version missing; this release knows versions 1 to \d/,
    ],
    [
      'a later version',
      { ...assessed, schemaVersion: EVENT_SCHEMA + 1 },
      new RegExp(`schema version ${EVENT_SCHEMA + 1}; this release knows versions 1 to ${EVENT_SCHEMA}`),
    ],
    // Known, but not for this type: nothing was ever written so.
    ['a version that the type never had', { ...assessed, schemaVersion: 2 }, /schema version 2; /],
    ['a version between two', { ...assessed, schemaVersion: 1.5 }, /schema version 1.5; /],
    ['a new type in an old version', { ...first('Reminded'), schemaVersion: 1 }, /schema version 1; /],
    [
      'an old version that is not its form',
      { ...first('AttemptFailed'), schemaVersion: 1, payload: 'x' },
      /schema version 1; /,
    ],
    ['an unknown type', { ...assessed, type: 'RequestForgotten' }, /type/],
    ['no type', { ...assessed, type: undefined }, /type/],
    ['an unknown member', { ...assessed, remark: 'x' }, /remark/],
    ['no payload', { ...assessed, payload: undefined }, /payload of RequestAssessed/],
    [
      'the payload of another type',
      { ...assessed, payload: first('CaseClosed')['payload'] },
      /payload of RequestAssessed/,
    ],
    ['a sequence of 0', { ...assessed, sequence: 0 }, /sequence/],
    ['a case id of another form', { ...assessed, caseId: 'CAN-2026-000001' }, /caseId/],
    ['an instant in another form', { ...assessed, at: '2026-03-02T09:00:00Z' }, /at/],
    ['an instant that is none', { ...assessed, at: '2026-02-30T09:00:00.000Z' }, /at/],
    ['an actor of no kind', { ...assessed, actor: { personId: 'x' } }, /actor/],
    ['a system with a person', { ...assessed, actor: { kind: 'system', step: 's', personId: 'abc' } }, /actor/],
    ['half a hash', { ...assessed, hash: 'sha256:abc' }, /hash/],
  ])('%s', (_, value, message) => {
    const attempt = () => parseCaseEvent(value);
    expect(attempt).toThrow(EventNotUnderstood);
    expect(attempt).toThrow(InvariantBroken);
    expect(attempt).toThrow(message);
  });

  it('every type: an unknown member of its payload, and each of its members left out', () => {
    let examined = 0;
    for (const type of new Set(EVENTS.map((event) => event.type))) {
      const event = first(type);
      const payload = event['payload'] as Record<string, unknown>;
      expect(() => parseCaseEvent({ ...event, payload: { ...payload, unknown: 1 } })).toThrow(EventNotUnderstood);
      for (const member of Object.keys(payload)) {
        const { [member]: _left, ...rest } = payload;
        expect(() => parseCaseEvent({ ...event, payload: rest })).toThrow(new RegExp(member));
        examined += 1;
      }
    }
    expect(examined).toBeGreaterThan(40);
  });

  it('says nothing of what the event contains', () => {
    const submittedEvent = first('RequestSubmitted');
    const payload = submittedEvent['payload'] as Record<string, unknown>;
    const request = { ...(payload['request'] as object), title: 42, description: 'CANARY', language: 'CANARY' };
    expect(() => parseCaseEvent({ ...submittedEvent, payload: { ...payload, request } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('CANARY') }),
    );
  });
});

describe('what decide produces is read back as it was', () => {
  it('examines every type of event', () => {
    expect([...new Set(EVENTS.map((event) => event.type))].toSorted()).toEqual([
      'AccessFailed',
      'AccessGranted',
      'AssuranceDeclined',
      'AssuranceGiven',
      'AttemptFailed',
      'CaseClosed',
      'CaseLapsed',
      'ClarificationAnswered',
      'ClarificationSought',
      'ClosingBegun',
      'DecisionCast',
      'DecisionEscalated',
      'DepositCompleted',
      'DepositOpened',
      'DepositsDestroyed',
      'NoticeUndelivered',
      'PackageDestroyed',
      'PackageSealed',
      'ProposalPut',
      'QuorumReachChanged',
      'ReceiptAcknowledged',
      'ReleaseExpired',
      'ReleaseOpened',
      'ReleaseRecalled',
      'ReleaseResumed',
      'ReleaseSuspended',
      'Reminded',
      'RequestAssessed',
      'RequestSubmitted',
      'RequestWithdrawn',
      'ResumptionProposed',
    ]);
  });

  it.each(EVENTS.map((event) => [event.type, event.sequence, event] as const))('%s %i', (_type, _sequence, event) => {
    expect(parseCaseEvent(stored(event))).toEqual(stored(event));
  });

  it('rewrites a failed attempt of schema 1, which did not say which release it ran with', () => {
    const today = first('AttemptFailed');
    const { version: _version, ...payload } = today['payload'] as Record<string, unknown>;
    expect([schemaOf('AttemptFailed'), today['schemaVersion']]).toEqual([2, 2]);
    expect(parseCaseEvent({ ...today, schemaVersion: 1, payload })).toEqual({
      ...today,
      payload: { ...payload, version: null },
    });
    // And no event of today is taken for an old one.
    expect(() => parseCaseEvent({ ...today, payload })).toThrow(EventNotUnderstood);
  });

  it('with its place in the chain, where it has one', () => {
    const [event] = SCENES.SUBMITTED().events;
    if (event === undefined) throw new Error('The scene is empty');
    const chained = link(event, genesis(CASE_ID));
    expect(parseCaseEvent(stored(chained))).toEqual(stored(chained));
  });

  it('with the note and the ground of a vote', () => {
    const scene = proposed();
    const noted = given(
      scene,
      { ...commandsFor(scene).CastDecision, verdict: 'refuse', ground: 'third-party', note: 'Ask again in May.' },
      by(PEOPLE.security),
    );
    const event = noted.events.at(-1);
    expect(event && parseCaseEvent(stored(event))).toEqual(event);
  });
});
