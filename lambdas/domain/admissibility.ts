import {
  equivalenceFor,
  inForce,
  needsEndorsement,
  otherParty,
  rankOf,
  type Agreement,
  type Marking,
} from './agreement.ts';
import type { Check, InformationRequest } from './events.ts';
import type { Nation } from './ids.ts';
import type { Instant } from './instant.ts';

const check = (rule: string, passed: boolean, evidence: string): Check => ({ rule, passed, evidence });

function equivalenceCheck(agreement: Agreement, level: Marking, recipient: Nation): Check {
  const row = equivalenceFor(agreement, level, recipient);
  if (row === undefined || row.to === null || row.kind === 'NONE') {
    return check('D4', false, `No equivalence is published for ${level.nation} ${level.mark} towards ${recipient}.`);
  }
  if (row.kind === 'CASE_BY_CASE') {
    return check(
      'D4',
      false,
      `${level.nation} ${level.mark} is settled case by case between the authorities, outside this exchange.`,
    );
  }
  return check('D4', true, `${level.mark} is ${row.kind} ${row.to.mark} (${row.source}).`);
}

/**
 * Every check that the agreement makes of a request, each with its rule id, result and evidence (command RecordAssessment).
 * All are made, also after one has failed: the requester is told everything at once.
 */
export function assess(
  agreement: Agreement,
  request: InformationRequest,
  originatingNation: Nation,
  recipientNation: Nation,
  now: Instant,
): readonly Check[] {
  const { levelSought } = request;
  const unendorsed = needsEndorsement(agreement, levelSought);
  const purpose = agreement.purposes.find((row) => row.code === request.purpose);
  return [
    check(
      'A1',
      inForce(agreement, now),
      agreement.dates.inForce === null
        ? `${agreement.id} has no date of entry into force.`
        : `${agreement.id} is ${agreement.status}, in force from ${agreement.dates.inForce}.`,
    ),
    check(
      'A4',
      otherParty(agreement, originatingNation) === recipientNation,
      `The parties are ${agreement.parties.join(' and ')}.`,
    ),
    check(
      'C1',
      purpose !== undefined,
      purpose === undefined
        ? `Purpose "${request.purpose}" is not one of ${agreement.purposes.map((row) => row.code).join(', ') || '(none)'}.`
        : `Purpose ${purpose.code} is in the agreement.`,
    ),
    check(
      'D1',
      levelSought.nation === originatingNation && rankOf(agreement, levelSought) !== undefined,
      `The level sought is ${levelSought.nation} ${levelSought.mark}, on the ${levelSought.axis} axis.`,
    ),
    equivalenceCheck(agreement, levelSought, recipientNation),
    check(
      'A5',
      !unendorsed,
      unendorsed
        ? `${levelSought.mark} needs the home authority's endorsement, and none accompanies the request.`
        : 'No endorsement is required for this level.',
    ),
  ];
}
