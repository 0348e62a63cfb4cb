import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { labelled, size, times, type Row } from './layout.ts';
import type { Paint } from './output.ts';

type Proposal = NonNullable<CaseView['proposal']>;

/** A proposal whole: every document, recipient and condition that its digest stands for. */
export function proposalText(proposal: Proposal, digest: string, paint: Paint): string {
  const rows: Row[] = [
    ['Digest', digest],
    ...proposal.documents.map(({ title, marking, pages, length, digest: own, origin }, index): Row => [
      `Document ${index + 1}`,
      `${title}\n${marking.mark} (${marking.axis}, ${marking.nation}), ${pages} page(s), ${size(length)}, originates with ${origin}\n${own}`,
    ]),
    ...proposal.recipients.map(({ personId, keyFingerprint }): Row => [
      'Recipient',
      `${personId}\nkey ${keyFingerprint}`,
    ]),
    ['Copies', `${proposal.copies} for each recipient`],
    ...proposal.conditions.map((condition, index): Row => [`Condition ${index + 1}`, condition]),
    ['Open from', times(proposal.notBefore)],
    ['until before', times(proposal.notAfter)],
    ['Agreement', `${proposal.agreement.id} version ${proposal.agreement.version}\n${proposal.agreement.digest}`],
    ['Prepared by', proposal.preparedBy],
  ];
  return `${paint('bold', 'Proposal')}\n${labelled(rows, paint)}`;
}
