import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { ENV } from '../../contracts/names.ts';
import { dueAt, type Case } from '../../domain/case.ts';
import { evolve } from '../../domain/evolve.ts';
import { takesPart } from '../../domain/canary.ts';
import type { CaseId, Nation } from '../../domain/ids.ts';
import type { Audience } from '../../domain/events.ts';
import { insteadOf, nationOf, noticesOf, type Notice, type NoticeVerb } from '../../domain/notices.ts';
import { APPROVING_ROLES, holds, type Person } from '../../domain/people.ts';
import { putOnBus, putRejection } from '../../platform/bus.ts';
import { recordAnnounced } from '../../platform/case-index.ts';
import { loadCase } from '../../platform/case-store.ts';
import { dynamodb } from '../../platform/dynamodb.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { readEnvironment } from '../../platform/environment.ts';
import { exchangeFromEnvironment } from '../../platform/exchange.ts';
import { sendMail } from '../../platform/mail.ts';
import { log } from '../../platform/log.ts';
import { mailText } from '../../platform/mail-words.ts';
import { eachCase } from '../stream.ts';

const exchange = exchangeFromEnvironment();
const env = readEnvironment([ENV.bus, ENV.mailFrom, ENV.portal]);

/** Both nations' people, read when first asked for and then once for all notices of one delivery. */
type People = (nation: Nation) => Promise<readonly Person[]>;

function peopleOnce(): People {
  const read = new Map<Nation, Promise<readonly Person[]>>();
  return (nation) => {
    const people = read.get(nation) ?? exchange.directory.people(nation, exchange.now());
    read.set(nation, people);
    return people;
  };
}

/** Whoever prepared the proposal may not decide on it, and whoever has voted need not. */
const nothingAwaits = (approver: Person, state: Case, preparedBy: string | undefined): boolean =>
  approver.personId === preparedBy ||
  (state.phase === 'UNDER_REVIEW' && state.decisions.some((decision) => decision.personId === approver.personId));

/** Who an audience is today. */
async function readersOf(audience: Audience, state: Case, peopleOf: People): Promise<readonly Person[]> {
  const people = (await peopleOf(nationOf(audience, state))).filter(
    (person) => person.active && takesPart(state, person),
  );
  const proposal = 'proposal' in state ? state.proposal : null;
  switch (audience) {
    case 'desk-officers':
      return people.filter((person) => holds(person, 'desk-officer'));
    case 'approvers':
      return people.filter(
        (person) => holds(person, ...APPROVING_ROLES) && !nothingAwaits(person, state, proposal?.proposal.preparedBy),
      );
    case 'originator-authority':
    case 'recipient-authority':
      return people.filter((person) => holds(person, 'competent-authority'));
    case 'requester':
      return people.filter((person) => person.personId === state.requesterId);
    case 'requesting-agency':
      return people.filter((person) => person.agency === state.requestingAgency && holds(person, 'requester'));
    case 'recipients':
      return people.filter((person) =>
        proposal?.proposal.recipients.some((recipient) => recipient.personId === person.personId),
      );
  }
}

/** Sends the notice to one reader; what SES does not take counts as what came back. */
async function sendNotice(verb: NoticeVerb, to: Audience, state: Case, reader: Person): Promise<void> {
  const { caseId, exercise, sequence } = state;
  const due = dueAt(state) ?? undefined;
  const link = `${env[ENV.portal]}/cases/${caseId}`;
  const mail = mailText({ verb, caseId, dueAt: due, exercise, link }, reader);
  const notice = { caseId, sequence, to, personId: reader.personId };
  if (await sendMail(env[ENV.mailFrom], reader, mail, notice)) return;
  log('error', 'MAIL_REJECTED', { sequence });
  await putRejection(env[ENV.bus], notice);
}

/**
 * Sends one mail to each reader of an event's notices; a person who is told by one notice is not told again by the next. Where mail reaches
 * nobody of an audience, those who can act next are told instead.
 */
async function sendNotices(notices: readonly Notice[], state: Case, peopleOf: People): Promise<void> {
  const told = new Set<string>();
  const asked = [...notices];
  for (const { to, verb, except } of asked) {
    if (verb === 'nobody-can-decide') log('error', 'NOBODY_CAN_DECIDE', { sequence: state.sequence });
    const readers = (await readersOf(to, state, peopleOf)).filter(
      ({ personId, unreachable }) => unreachable !== true && personId !== except,
    );
    if (readers.length === 0 && verb !== 'notice-undelivered') {
      log('error', 'NOBODY_TO_TELL', { sequence: state.sequence });
      asked.push(...insteadOf(to));
    }
    for (const reader of readers) {
      if (told.has(reader.personId)) continue;
      told.add(reader.personId);
      await sendNotice(verb, to, state, reader);
    }
  }
}

/** Tells the world of every event that it has not been told of, in order; what was told is recorded event by event. */
async function announce(caseId: CaseId): Promise<void> {
  const file = await loadCase(dynamodb, exchange.casesTable, caseId);
  const peopleOf = peopleOnce();
  let state: Case | undefined;
  for (const event of file.events) {
    state = evolve(state, event);
    if (event.sequence <= file.announced) continue;
    await putOnBus(env[ENV.bus], event);
    await sendNotices(noticesOf(event), state, peopleOf);
    await recordAnnounced(dynamodb, exchange.casesTable, caseId, event.sequence);
  }
}

/** Consumer of the case table's stream: bus events and mails, at least once each. */
export const handler = entryPoint((event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> =>
  eachCase(event, 'ANNOUNCE_FAILED', announce),
);
