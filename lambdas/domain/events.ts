import type { AgreementPin, Marking } from './agreement.ts';
import type { Clock, Deadline, Reminder } from './clock.ts';
import type { CaseId, Digest, Nation, PersonId } from './ids.ts';
import type { Instant } from './instant.ts';

/** What is asked for, as the requester wrote it. */
export interface InformationRequest {
  readonly agreementId: string;
  readonly purpose: string;
  readonly justification: string;
  /** Unclassified by rule E8. */
  readonly title: string;
  readonly description: string;
  /** The highest mark of the originating nation that is sought. */
  readonly levelSought: Marking;
  /** People of the recipient nation who are to open it. */
  readonly recipients: readonly PersonId[];
  readonly language: 'en' | 'fr' | 'uk';
  /** Solicitation or contract reference, where the purpose is procurement (rule A6). */
  readonly reference?: string;
  /** An earlier case this one submits again. */
  readonly previousCase?: CaseId;
}

/** One admissibility check with its result and the evidence for it. */
export interface Check {
  readonly rule: string;
  readonly passed: boolean;
  readonly evidence: string;
}

export interface ProposedDocument {
  readonly depositId: string;
  readonly title: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly length: number;
  readonly marking: Marking;
  readonly pages: number;
  /** The nation whose information it is (rules C2, C3): the originating nation, or a third party whose consent is needed. */
  readonly origin: Nation;
}

export interface ProposedRecipient {
  readonly personId: PersonId;
  readonly keyFingerprint: Digest;
}

/** Exactly what would be released, and how. Known by its digest (canonical JSON of this value). */
export interface Proposal {
  readonly caseId: CaseId;
  readonly agreement: AgreementPin;
  readonly documents: readonly ProposedDocument[];
  readonly recipients: readonly ProposedRecipient[];
  readonly conditions: readonly string[];
  /** `[notBefore, notAfter)`. */
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** Openings allowed to each recipient. */
  readonly copies: number;
  readonly preparedBy: PersonId;
}

export interface Decision {
  readonly personId: PersonId;
  readonly role: string;
  readonly verdict: 'approve' | 'refuse';
  readonly proposalDigest: Digest;
  readonly ground?: string;
  readonly note?: string;
}

/** A package as the sealing step made it. */
export interface SealedPackage {
  readonly packageId: string;
  /** Chosen at sealing, because the data key is bound to it. */
  readonly releaseId: string;
  readonly objectKey: string;
  readonly documents: readonly {
    readonly depositId: string;
    readonly title: string;
    readonly digest: Digest;
    readonly length: number;
    readonly marking: Marking;
    /** Offset in the plaintext of the package. */
    readonly offset: number;
  }[];
  readonly ciphertextDigest: Digest;
  readonly ciphertextLength: number;
  /** The data key under the package key, base64. */
  readonly wrappedKey: string;
  readonly keyId: string;
}

/** Whom a notice goes to; who that is today, the directory says. */
export type Audience =
  | 'desk-officers'
  | 'approvers'
  | 'originator-authority'
  | 'recipient-authority'
  | 'requester'
  /** Everybody who may act for the requesting agency. */
  | 'requesting-agency'
  | 'recipients';

/** A notice that did not reach its reader; no address is a fact of a case. */
export interface UndeliveredNotice {
  /** The event that was told of. */
  readonly notice: number;
  readonly to: Audience;
  readonly personId: PersonId;
  readonly cause: 'bounced' | 'complained' | 'rejected';
}

export type EndReason = 'expired' | 'recalled' | 'withdrawn' | 'window-past' | 'quorum-lost';

/** Facts of a case, in the past tense. `type` and `payload` only; the case store adds who, when, the sequence and the chain. */
export type DomainEvent =
  | {
      readonly type: 'RequestSubmitted';
      readonly payload: {
        readonly request: InformationRequest;
        readonly requestDigest: Digest;
        readonly agreement: AgreementPin;
        readonly originatingNation: Nation;
        readonly recipientNation: Nation;
        readonly requestingAgency: string;
        readonly exercise: boolean;
      };
    }
  | {
      readonly type: 'RequestAssessed';
      readonly payload: {
        readonly registerNumber: string;
        readonly admissible: boolean;
        readonly checks: readonly Check[];
        readonly deadline: Deadline | null;
        /** No living approver could decide: the authority is told at once. */
        readonly escalated: boolean;
      };
    }
  | {
      readonly type: 'ClarificationSought';
      readonly payload: { readonly question: string; readonly deadline: Deadline };
    }
  | {
      readonly type: 'ClarificationAnswered';
      readonly payload: {
        readonly answer: string;
        /** Members of the request that the answer changes. */
        readonly amendments: Partial<
          Pick<InformationRequest, 'title' | 'description' | 'justification' | 'recipients'>
        >;
        readonly requestDigest: Digest;
        readonly deadline: Deadline;
      };
    }
  | {
      readonly type: 'DepositOpened';
      readonly payload: { readonly depositId: string; readonly digest: Digest; readonly length: number };
    }
  | { readonly type: 'DepositCompleted'; readonly payload: { readonly depositId: string } }
  | { readonly type: 'ProposalPut'; readonly payload: { readonly proposal: Proposal; readonly proposalDigest: Digest } }
  | {
      readonly type: 'DecisionCast';
      readonly payload: {
        readonly decision: Decision;
        /** What the vote completes, if anything; counted here once, and again before the release opens. */
        readonly outcome: 'pending' | 'approved' | 'refused';
        readonly deadline: Deadline | null;
      };
    }
  | {
      readonly type: 'AssuranceGiven';
      readonly payload: { readonly proposalDigest: Digest; readonly textDigest: Digest; readonly personId: PersonId };
    }
  | { readonly type: 'AssuranceDeclined'; readonly payload: { readonly proposalDigest: Digest } }
  | { readonly type: 'PackageSealed'; readonly payload: { readonly sealed: SealedPackage } }
  | {
      readonly type: 'ReleaseOpened';
      readonly payload: {
        readonly releaseId: string;
        readonly packageId: string;
        readonly notBefore: Instant;
        readonly notAfter: Instant;
        /** Deposits whose absence was verified before this was recorded (promise S2). */
        readonly depositsDestroyed: readonly string[];
      };
    }
  | { readonly type: 'ClosingBegun'; readonly payload: { readonly reason: EndReason } }
  | {
      readonly type: 'AccessGranted';
      readonly payload: {
        readonly accessId: string;
        readonly recipient: PersonId;
        readonly keyFingerprint: Digest;
        readonly copy: number;
        readonly idempotencyKey: string;
      };
    }
  | { readonly type: 'AccessFailed'; readonly payload: { readonly accessId: string; readonly cause: string } }
  | {
      readonly type: 'ReceiptAcknowledged';
      readonly payload: { readonly accessId: string; readonly recipient: PersonId; readonly digest: Digest };
    }
  | { readonly type: 'ReleaseSuspended'; readonly payload: { readonly reason: string } }
  | { readonly type: 'ResumptionProposed'; readonly payload: { readonly by: PersonId } }
  | { readonly type: 'ReleaseResumed'; readonly payload: { readonly by: readonly [PersonId, PersonId] } }
  | { readonly type: 'ReleaseRecalled'; readonly payload: { readonly reason: string } }
  | { readonly type: 'ReleaseExpired'; readonly payload: { readonly notAfter: Instant } }
  | {
      readonly type: 'PackageDestroyed';
      readonly payload: {
        readonly packageId: string | null;
        readonly objectKey: string | null;
        readonly verified: true;
      };
    }
  | { readonly type: 'CaseClosed'; readonly payload: { readonly reason: EndReason } }
  | { readonly type: 'DepositsDestroyed'; readonly payload: { readonly depositIds: readonly string[] } }
  | { readonly type: 'DecisionEscalated'; readonly payload: { readonly deadline: Deadline } }
  | { readonly type: 'CaseLapsed'; readonly payload: { readonly clock: Clock } }
  | {
      readonly type: 'Reminded';
      readonly payload: Reminder & {
        /** Whom the clock waits for. */
        readonly to: 'desk-officers' | 'approvers' | 'requester' | 'recipient-authority';
      };
    }
  | {
      /** Whether those who could still decide, and can be told, could complete the quorum. */
      readonly type: 'QuorumReachChanged';
      readonly payload: {
        readonly withinReach: boolean;
        /** The roles that no approval fills yet. */
        readonly openRoles: readonly string[];
      };
    }
  | {
      readonly type: 'NoticeUndelivered';
      readonly payload: UndeliveredNotice & {
        /** It told of another that did not arrive: those who are next have been told, and only operators are left. */
        readonly again: boolean;
      };
    }
  | { readonly type: 'RequestWithdrawn'; readonly payload: { readonly reason: string } }
  | {
      readonly type: 'AttemptFailed';
      readonly payload: {
        readonly attempt: number;
        readonly step: string;
        readonly error: string;
        /** Version of the functions that the attempt ran with, as its recorder is numbered: which release failed. Null: not recorded (schema 1). */
        readonly version: string | null;
      };
    };

export type EventType = DomainEvent['type'];

/** Who did it, as the case file keeps it. */
export type RecordedActor =
  | { readonly kind: 'person'; readonly personId: PersonId; readonly nation: Nation; readonly agency: string }
  | { readonly kind: 'system'; readonly step: string };

/** An event in its place in the case file. */
export type CaseEvent = DomainEvent & {
  readonly caseId: CaseId;
  /** 1 for the first. */
  readonly sequence: number;
  /** Schema of events in which its type got the form that it was written in. */
  readonly schemaVersion: number;
  readonly at: Instant;
  readonly actor: RecordedActor;
  /** Random, so that whoever is shown the hash of an event and not the event cannot find it by guessing. The store adds it. */
  readonly salt?: string;
};
