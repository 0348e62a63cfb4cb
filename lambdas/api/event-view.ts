import type { EventType } from '../domain/events.ts';
import type { Person } from '../domain/people.ts';
import type { ChainedEvent } from '../evidence/chain.ts';
import type { Side } from './visibility.ts';

/**
 * What the recipient side may read of the case file. Everything else keeps its place in the chain and is otherwise blank: neither what it is
 * nor who did it, so that drafts and votes cannot be counted from outside.
 */
const SHARED: readonly EventType[] = [
  'RequestSubmitted',
  'RequestAssessed',
  'ClarificationSought',
  'ClarificationAnswered',
  'AssuranceGiven',
  'AssuranceDeclined',
  'CaseLapsed',
  'ReleaseOpened',
  'AccessGranted',
  'AccessFailed',
  'ReceiptAcknowledged',
  'ReleaseSuspended',
  'ReleaseResumed',
  'ReleaseRecalled',
  'ReleaseExpired',
  'PackageDestroyed',
  'CaseClosed',
  'RequestWithdrawn',
];

/** Ids of openings that are not the reader's: everything about them is their recipient's and the originator's. */
const othersOpenings = (reader: Person, events: readonly ChainedEvent[]): ReadonlySet<string> =>
  new Set(
    events.flatMap((event) =>
      event.type === 'AccessGranted' && event.payload.recipient !== reader.personId ? [event.payload.accessId] : [],
    ),
  );

/**
 * The case file as one side may read it: to the originator whole, so that its chain can be computed again, and so in the form that each
 * event was written in.
 */
export function eventsFor(side: Side, reader: Person, events: readonly ChainedEvent[]): readonly object[] {
  const others = othersOpenings(reader, events);
  return events.map((event) => {
    const { sequence, type, schemaVersion, at, actor, payload, salt, hash, previousHash } = event;
    const concernsOther = 'accessId' in payload && others.has(payload.accessId);
    if (side === 'recipient' && (!SHARED.includes(type) || concernsOther)) {
      return { sequence, type: 'Withheld', at, actor: {}, hash, previousHash };
    }
    const shown = { sequence, type, schemaVersion, at, actor, payload, hash, previousHash };
    // With the salt the rest could be tried until the hash fits: it is for those who are shown the whole event.
    if (side === 'recipient' && actor.kind === 'person' && actor.nation !== reader.nation) {
      return { ...shown, actor: { kind: 'person', nation: actor.nation } };
    }
    return { ...shown, salt };
  });
}
