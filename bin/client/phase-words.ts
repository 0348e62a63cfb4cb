import type { Phase } from '../../lambdas/domain/phases.ts';

const WORDS: Readonly<Record<Phase, string>> = {
  SUBMITTED: 'received, being assessed',
  INADMISSIBLE: 'ended: the agreement does not allow it',
  UNDER_REVIEW: 'with the originating nation: a proposal is prepared and voted on',
  AWAITING_CLARIFICATION: 'the requester owes an answer',
  REFUSED: 'ended: not released',
  LAPSED: 'ended: not done in time, or the assurance was declined',
  WITHDRAWN: 'ended by the requester',
  AWAITING_ASSURANCE: "approved; the recipient authority's assurance is awaited",
  SEALING: 'being encrypted',
  RELEASED: 'open to the named recipients',
  SUSPENDED: 'closed for now; its end keeps approaching',
  CLOSING: 'over; key and package are being destroyed',
  CLOSED: 'over, and destroyed',
};

const isPhase = (phase: string): phase is Phase => Object.hasOwn(WORDS, phase);

export const PHASE_NAMES = Object.keys(WORDS) as readonly Phase[];

/** A phase with its meaning in a few words; one that this client does not know stands alone. */
export const phaseInWords = (phase: string): string => (isPhase(phase) ? `${phase}: ${WORDS[phase]}` : phase);
