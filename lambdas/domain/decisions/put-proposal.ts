import {
  equivalenceFor,
  needsEndorsement,
  withinElectronicCeiling,
  type Agreement,
  type Marking,
} from '../agreement.ts';
import type { UnderReview } from '../case.ts';
import { clearedUntil } from '../clearance.ts';
import type { Command, Context } from '../commands.ts';
import type { Outcome } from '../outcome.ts';
import type { Proposal, ProposedDocument } from '../events.ts';
import { DAY, earliest, plus, type Instant } from '../instant.ts';
import { neededRoles } from '../quorum.ts';
import { conflict, invalid, isRefusal, type Refusal } from '../refusal.ts';

type PutProposal = Extract<Command, { type: 'PutProposal' }>;

/** A document of the proposal, or why it cannot be released electronically under this agreement. */
function documentOf(
  state: UnderReview,
  agreement: Agreement,
  input: PutProposal['documents'][number],
  pointer: string,
): ProposedDocument | Refusal {
  const deposit = state.deposits.find((row) => row.depositId === input.depositId);
  if (deposit === undefined || !deposit.complete) {
    return conflict({
      code: 'DEPOSIT_INCOMPLETE',
      message: 'A proposed document must be a complete deposit of this case.',
      next: 'Upload and complete the deposit, then put the proposal again.',
      pointer: `${pointer}/depositId`,
    });
  }
  if (input.origin !== state.originatingNation) {
    return invalid({
      code: 'THIRD_PARTY_CONSENT_NEEDED',
      message: `The document originates with ${input.origin}, whose consent this exchange cannot obtain.`,
      next: 'Leave the document out, or obtain and release it through its originator.',
      pointer: `${pointer}/origin`,
      rule: 'C2',
    });
  }
  return (
    markingProblem(state, agreement, input.marking, `${pointer}/marking`) ?? {
      ...input,
      digest: deposit.digest,
      length: deposit.length,
    }
  );
}

function markingProblem(
  state: UnderReview,
  agreement: Agreement,
  marking: Marking,
  pointer: string,
): Refusal | undefined {
  if (marking.nation !== state.originatingNation || !withinElectronicCeiling(agreement, marking)) {
    return invalid({
      code: 'ABOVE_ELECTRONIC_CEILING',
      message: `${marking.nation} ${marking.mark} may not travel electronically under ${agreement.id}.`,
      next: 'Release it as a consignment outside this exchange, or propose a version below the ceiling.',
      pointer,
      rule: 'E3',
    });
  }
  const row = equivalenceFor(agreement, marking, state.recipientNation);
  if (row === undefined || row.to === null || row.kind === 'NONE' || row.kind === 'CASE_BY_CASE') {
    return invalid({
      code: 'NO_EQUIVALENCE',
      message: `${agreement.id} publishes no equivalence for ${marking.mark} towards ${state.recipientNation}.`,
      next: 'Propose only documents whose marks the agreement maps.',
      pointer,
      rule: 'D4',
    });
  }
  if (needsEndorsement(agreement, marking)) {
    return invalid({
      code: 'ENDORSEMENT_NEEDED',
      message: `${marking.mark} may be asked for only with an endorsement, and none accompanied this request.`,
      next: 'Leave the document out. The requester may ask for it, endorsed by their authority.',
      pointer,
      rule: 'A5',
    });
  }
  return undefined;
}

/**
 * The end of the window: no later than any recipient's clearance and the agreement's termination (domain.md §2: a window that would
 * outlive them ends there). A refusal when a recipient cannot receive at all.
 */
function windowEnd(
  state: UnderReview,
  command: PutProposal,
  context: Context,
  documents: readonly ProposedDocument[],
): Instant | Refusal {
  const { agreement, people } = context;
  const bounds: Instant[] = agreement.dates.terminated === null ? [] : [agreement.dates.terminated];
  for (const [index, { personId, keyFingerprint }] of command.recipients.entries()) {
    const pointer = `/recipients/${index}`;
    const person = people.get(personId);
    if (person === undefined || !person.active || !state.request.recipients.includes(personId)) {
      return invalid({
        code: 'RECIPIENT_NOT_ASKED_FOR',
        message: 'A recipient of the release must be one of the people the request names, and active in the directory.',
        next: 'Name only recipients of the request, or ask the requester to amend it.',
        pointer: `${pointer}/personId`,
        rule: 'B1',
      });
    }
    if (!person.keys.some((key) => key.fingerprint === keyFingerprint)) {
      return invalid({
        code: 'KEY_NOT_CONFIRMED',
        message: "This is not a key that the recipient's competent authority has confirmed.",
        next: 'Read the fingerprint in the directory, or have the key confirmed first.',
        pointer: `${pointer}/keyFingerprint`,
      });
    }
    for (const document of documents) {
      const until = clearedUntil(agreement, person, document.marking, state.recipientNation);
      if (until === undefined) {
        return invalid({
          code: 'NOT_CLEARED',
          message: `The recipient holds no clearance for ${document.marking.mark}.`,
          next: 'Name recipients cleared to the level, or have the clearance confirmed by their authority.',
          pointer,
          rule: 'B2',
        });
      }
      bounds.push(until);
    }
  }
  return earliest(command.notAfter, ...bounds);
}

function formProblem(command: PutProposal, { agreement, now }: Context): Refusal | undefined {
  if (command.notAfter <= command.notBefore || command.notAfter <= now) {
    return invalid({
      code: 'WINDOW_EMPTY',
      message: `A release is open from notBefore until before notAfter, and must end after now (${now}).`,
      next: 'Choose a later notAfter.',
      pointer: '/notAfter',
    });
  }
  const { days } = agreement.longestRelease;
  if (command.notAfter > plus(command.notBefore, days * DAY)) {
    return invalid({
      code: 'WINDOW_TOO_LONG',
      message: `A release under ${agreement.id} is open for at most ${days} days.`,
      next: 'Choose an earlier notAfter. What is needed for longer is proposed again in time.',
      pointer: '/notAfter',
      rule: 'B5',
    });
  }
  const deposits = new Set(command.documents.map((row) => row.depositId));
  const recipients = new Set(command.recipients.map((row) => row.personId));
  if (deposits.size !== command.documents.length || recipients.size !== command.recipients.length) {
    return invalid({
      code: 'NAMED_TWICE',
      message: 'A document or a recipient stands in the proposal twice.',
      next: 'Name each once.',
      pointer: deposits.size === command.documents.length ? '/recipients' : '/documents',
    });
  }
  return undefined;
}

/** PutProposal: exactly what would be released, under one digest. The same proposal put again changes nothing; another one voids the votes. */
export function putProposal(state: UnderReview, command: PutProposal, context: Context): Outcome {
  const { agreement, actor, now, pin } = context;
  const problem = formProblem(command, context);
  if (problem !== undefined) return problem;
  const documents: ProposedDocument[] = [];
  for (const [index, input] of command.documents.entries()) {
    const document = documentOf(state, agreement, input, `/documents/${index}`);
    if (isRefusal(document)) return document;
    documents.push(document);
  }
  if (neededRoles(agreement, documents) === undefined) {
    return invalid({
      code: 'NO_QUORUM_RULE',
      message: `${agreement.id} has no quorum for the marks of these documents.`,
      next: 'Propose only documents whose marks the agreement has a quorum for.',
      pointer: '/documents',
    });
  }
  const notAfter = windowEnd(state, command, context, documents);
  if (typeof notAfter !== 'string') return notAfter;
  if (notAfter <= command.notBefore || notAfter <= now) {
    return invalid({
      code: 'WINDOW_OUTLIVES_BASIS',
      message: `A clearance or the agreement ends at ${notAfter}, before the window could open.`,
      next: 'Choose an earlier window, or recipients whose clearance lasts.',
      pointer: '/notAfter',
      rule: 'B5',
    });
  }
  const proposal: Proposal = {
    caseId: state.caseId,
    agreement: pin,
    documents,
    recipients: command.recipients,
    conditions: command.conditions,
    notBefore: command.notBefore,
    notAfter,
    copies: command.copies,
    // The phase table lets only desk officers put a proposal, and they are people.
    preparedBy: (actor as Extract<typeof actor, { kind: 'person' }>).person.personId,
  };
  const proposalDigest = context.digest(proposal);
  if (state.proposal?.digest === proposalDigest) return [];
  return [{ type: 'ProposalPut', payload: { proposal, proposalDigest } }];
}
