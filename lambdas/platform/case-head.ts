import { dueAt, type Case } from '../domain/case.ts';
import { MINUTE, earliest, plus, type Instant } from '../domain/instant.ts';
import { isFinal, type Phase } from '../domain/phases.ts';

/** Shards of an index partition; one until measured otherwise (architecture §3). */
const SHARD = '0';

/** How soon after a change the sweep looks whether everything that follows from it has happened. */
const SETTLED_AFTER = 2 * MINUTE;

/** The current summary of a case: what lists show and what indexes sort by. Derived from the events, never the truth. */
export interface CaseHead {
  readonly caseId: string;
  readonly sequence: number;
  readonly lastHash: string;
  readonly phase: Phase;
  /** When the phase's clock runs out. */
  readonly dueAt?: Instant;
  /** Number of the workflow execution that carries the case. */
  readonly attempt: number;
  readonly openedAt: Instant;
  readonly changedAt: Instant;
  readonly registerNumber?: string;
  readonly agreementId: string;
  readonly exercise: boolean;
  readonly originatingNation: string;
  readonly recipientNation: string;
  readonly requestingAgency: string;
  readonly title: string;
  /** Deposits whose objects may still exist. */
  readonly deposits: number;
  readonly failures: number;
  /** Where and with what error the last attempt failed, while nothing has happened since. */
  readonly failedStep?: string;
  readonly failedWith?: string;
  /** Highest schema version among its events; a head of an earlier release does not say. */
  readonly eventSchema?: number;
}

/** Attributes that put a case into its indexes; all keys-only and sparse. */
interface IndexKeys {
  readonly openKey?: string;
  readonly openSort?: string;
  readonly agencyKey: string;
  readonly agencySort: string;
  readonly dueKey: string;
  readonly dueSort: string;
}

export const openKey = (phase: Phase): string => `${phase}#${SHARD}`;
export const agencyKey = (nation: string, agency: string): string => `${nation}#${agency}#${SHARD}`;
export const dueKey = (): string => `DUE#${SHARD}`;

const failureOf = ({ lastFailure, sequence }: Case): Pick<CaseHead, 'failedStep' | 'failedWith'> =>
  lastFailure?.sequence === sequence ? { failedStep: lastFailure.step, failedWith: lastFailure.error } : {};

/** The head that belongs to a case after its last event; the attempt is not a fact of the case and is kept by the store. */
export function headOf(state: Case, lastHash: string): Omit<CaseHead, 'attempt'> & IndexKeys {
  const due = dueAt(state);
  const settled = plus(state.changedAt, SETTLED_AFTER);
  const open = isFinal(state.phase) ? {} : { openKey: openKey(state.phase), openSort: due ?? state.changedAt };
  return {
    caseId: state.caseId,
    sequence: state.sequence,
    lastHash,
    phase: state.phase,
    ...(due === null ? {} : { dueAt: due }),
    openedAt: state.openedAt,
    changedAt: state.changedAt,
    ...(state.registerNumber === null ? {} : { registerNumber: state.registerNumber }),
    agreementId: state.agreement.id,
    exercise: state.exercise,
    originatingNation: state.originatingNation,
    recipientNation: state.recipientNation,
    requestingAgency: state.requestingAgency,
    title: state.request.title,
    deposits: state.deposits.length,
    failures: state.failures,
    ...failureOf(state),
    ...open,
    agencyKey: agencyKey(state.recipientNation, state.requestingAgency),
    agencySort: state.openedAt,
    dueKey: dueKey(),
    dueSort: due === null ? settled : earliest(due, settled),
  };
}
