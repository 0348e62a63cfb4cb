import type { CaseView } from '../../../lambdas/contracts/api-answers.ts';
import { digestOf } from '../../../lambdas/evidence/digest.ts';

export const CASE_ID = '0123456789abcdef0123456789abcdef';
export const digest = (character: string): string => `sha256:${character.repeat(64)}`;

const marking = { axis: 'protected', nation: 'CAN', mark: 'PROTECTED A' } as const;

export const PROPOSAL = {
  caseId: CASE_ID,
  agreement: { id: 'CAN-UKR-EXERCISE', version: 1, digest: digest('a') },
  documents: [
    { depositId: 'd'.repeat(32), title: 'Part 1', digest: digest('1'), length: 1000, marking, pages: 4, origin: 'CAN' },
  ],
  recipients: [{ personId: 'ukr-recipient-1', keyFingerprint: digest('f') }],
  conditions: ['Read it in the project room only.'],
  notBefore: '2026-12-01T00:00:00.000Z',
  notAfter: '2026-12-04T00:00:00.000Z',
  copies: 1,
  preparedBy: 'can-desk-1',
};

/** A case under review with a proposal, as an approver sees it. */
export const caseView = (over: Partial<CaseView> = {}): CaseView => ({
  caseId: CASE_ID,
  sequence: 5,
  phase: 'UNDER_REVIEW',
  registerNumber: 'CAN-2026-000001',
  exercise: true,
  openedAt: '2026-11-30T10:00:00.000Z',
  changedAt: '2026-11-30T11:00:00.000Z',
  dueAt: '2026-12-14T10:00:00.000Z',
  clock: null,
  agreement: PROPOSAL.agreement,
  originatingNation: 'CAN',
  recipientNation: 'UKR',
  requestingAgency: 'exercise-ukrainian-procurement-agency',
  request: {
    title: 'EXERCISE: security requirements',
    description: 'EXERCISE',
    purpose: 'tender',
    justification: 'EXERCISE',
    levelSought: marking,
    recipients: ['ukr-recipient-1'],
    language: 'uk',
  },
  requestDigest: digest('b'),
  failedChecks: [],
  questions: [],
  proposal: PROPOSAL,
  proposalDigest: digestOf(PROPOSAL),
  decisions: [],
  rolesMissing: ['releasing-officer', 'security-officer'],
  yourCommands: ['SeekClarification', 'CastDecision'],
  ...over,
});
