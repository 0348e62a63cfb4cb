import type { Agreement, AgreementPin, Marking } from './agreement.ts';
import type { EndReason, InformationRequest, ProposedRecipient, SealedPackage, UndeliveredNotice } from './events.ts';
import type { CaseId, Digest, Nation, PersonId } from './ids.ts';
import type { Instant } from './instant.ts';
import type { Actor, Person } from './people.ts';

/** A request as it is submitted; everything about the submitter comes from the directory. */
export interface SubmitRequest {
  readonly type: 'SubmitRequest';
  readonly caseId: CaseId;
  readonly request: InformationRequest;
}

/** Everything that may be asked of an open case. What the outside world found out (an object's length) is part of the command. */
export type Command =
  | { readonly type: 'RecordAssessment'; readonly registerNumber: string }
  | { readonly type: 'SeekClarification'; readonly question: string }
  | {
      readonly type: 'AnswerClarification';
      readonly answer: string;
      readonly amendments: Partial<Pick<InformationRequest, 'title' | 'description' | 'justification' | 'recipients'>>;
    }
  | { readonly type: 'OpenDeposit'; readonly depositId: string; readonly digest: Digest; readonly length: number }
  | {
      readonly type: 'CompleteDeposit';
      readonly depositId: string;
      /** Bytes that the store holds under this deposit (whose digest it verified on the way in); null when there is nothing. */
      readonly storedLength: number | null;
    }
  | {
      readonly type: 'PutProposal';
      readonly documents: readonly {
        readonly depositId: string;
        readonly title: string;
        readonly marking: Marking;
        readonly pages: number;
        readonly origin: Nation;
      }[];
      readonly recipients: readonly ProposedRecipient[];
      readonly conditions: readonly string[];
      readonly notBefore: Instant;
      readonly notAfter: Instant;
      readonly copies: number;
    }
  | {
      readonly type: 'CastDecision';
      readonly proposalDigest: Digest;
      readonly verdict: 'approve' | 'refuse';
      /** The role in which the approver votes; needed only when they hold several that the quorum asks for. */
      readonly role?: string;
      readonly ground?: string;
      readonly note?: string;
    }
  | { readonly type: 'GiveAssurance'; readonly proposalDigest: Digest }
  | { readonly type: 'DeclineAssurance'; readonly proposalDigest: Digest }
  | { readonly type: 'RecordSealed'; readonly sealed: SealedPackage }
  | {
      readonly type: 'OpenRelease';
      /** Deposits whose objects were looked for and found absent. */
      readonly depositsDestroyed: readonly string[];
    }
  | { readonly type: 'GrantAccess'; readonly accessId: string; readonly idempotencyKey: string }
  | { readonly type: 'RecordAccessFailure'; readonly accessId: string; readonly cause: string }
  | { readonly type: 'AcknowledgeReceipt'; readonly accessId: string; readonly digest: Digest }
  | { readonly type: 'Suspend'; readonly reason: string }
  | { readonly type: 'Resume' }
  | { readonly type: 'Recall'; readonly reason: string }
  | { readonly type: 'RecordExpiry' }
  | {
      readonly type: 'RecordEnd';
      readonly depositsDestroyed: readonly string[];
      /** The package object that was looked for and found absent. */
      readonly packageDestroyed: { readonly packageId: string; readonly objectKey: string } | null;
    }
  | { readonly type: 'RecordDepositsDestroyed'; readonly depositsDestroyed: readonly string[] }
  | {
      readonly type: 'RecordFailure';
      readonly attempt: number;
      readonly step: string;
      readonly error: string;
      readonly version: string;
    }
  | { readonly type: 'LookAtClock' }
  | ({ readonly type: 'RecordUndelivered' } & UndeliveredNotice)
  | { readonly type: 'Withdraw'; readonly reason: string };

/** What a decision may look at beside the case: given to it, never fetched by it. */
export interface Context {
  readonly now: Instant;
  readonly actor: Actor;
  /** The nation this exchange belongs to: it originates every case of it. */
  readonly originatingNation: Nation;
  readonly agreement: Agreement;
  readonly pin: AgreementPin;
  /** People the command concerns, as the directory knows them now. */
  readonly people: ReadonlyMap<PersonId, Person>;
  /** SHA-256 over canonical JSON (RFC 8785). */
  readonly digest: (value: unknown) => Digest;
}

export type { EndReason };
