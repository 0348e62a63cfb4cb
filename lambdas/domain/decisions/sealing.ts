import type { Sealing } from '../case.ts';
import type { Command, Context } from '../commands.ts';
import type { Outcome } from '../outcome.ts';
import { neededRoles, openRoles, standingApprovals } from '../quorum.ts';
import { conflict, invalid } from '../refusal.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

/** RecordSealed: the package holds exactly the documents of the approved proposal. A package sealed before stays the one. */
export function recordSealed(state: Sealing, command: Of<'RecordSealed'>): Outcome {
  if (state.sealed !== null) return [];
  const { documents } = state.proposal.proposal;
  const same =
    documents.length === command.sealed.documents.length &&
    documents.every((document, index) => {
      const sealed = command.sealed.documents[index];
      return (
        sealed !== undefined &&
        sealed.depositId === document.depositId &&
        sealed.digest === document.digest &&
        sealed.length === document.length
      );
    });
  if (!same) {
    return invalid({
      code: 'PACKAGE_DIFFERS',
      message: 'The sealed documents are not those of the approved proposal.',
      next: 'Seal the deposits of the proposal again.',
    });
  }
  return [{ type: 'PackageSealed', payload: { sealed: command.sealed } }];
}

/**
 * OpenRelease: the last gate (promise S1). The quorum is counted again from the decisions of people who still hold their roles,
 * the assurance must be there, every deposit must be gone, and the window must not have passed.
 */
export function openRelease(state: Sealing, command: Of<'OpenRelease'>, context: Context): Outcome {
  const { agreement, now, people } = context;
  const { proposal } = state.proposal;
  // Also when nothing was sealed: a case whose sealing never succeeds ends with its window, and its deposits with it (promise S10).
  if (now >= proposal.notAfter) return [{ type: 'ClosingBegun', payload: { reason: 'window-past' } }];
  if (state.sealed === null) {
    return conflict({
      code: 'NOT_SEALED',
      message: 'There is no sealed package to open.',
      next: 'Seal the package first.',
    });
  }
  if (state.deposits.some((deposit) => !command.depositsDestroyed.includes(deposit.depositId))) {
    return conflict({
      code: 'DEPOSIT_REMAINS',
      message: 'A deposit has not been verified as destroyed.',
      next: 'Destroy it, verify its absence, and open the release again.',
    });
  }
  const needed = neededRoles(agreement, proposal.documents);
  const votes = standingApprovals(state, people).filter(
    (vote) => vote.proposalDigest === state.proposal.digest && vote.personId !== proposal.preparedBy,
  );
  const quorum = needed !== undefined && openRoles(needed, votes).length === 0;
  if (!quorum || (agreement.assurance.required && state.assurance === null)) {
    return [{ type: 'ClosingBegun', payload: { reason: 'quorum-lost' } }];
  }
  return [
    {
      type: 'ReleaseOpened',
      payload: {
        releaseId: state.sealed.releaseId,
        packageId: state.sealed.packageId,
        notBefore: proposal.notBefore,
        notAfter: proposal.notAfter,
        depositsDestroyed: command.depositsDestroyed,
      },
    },
  ];
}
