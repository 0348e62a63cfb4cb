/**
 * The phase table: what may happen in each phase, by whom, and where it leads. This is the page to review; `decide` reads it,
 * `evolve` is held to it by tests. Phases of later agreements' branches (third-party consent, disposition) join it as rows.
 */
export type Phase =
  | 'SUBMITTED'
  | 'INADMISSIBLE'
  | 'UNDER_REVIEW'
  | 'AWAITING_CLARIFICATION'
  | 'REFUSED'
  | 'LAPSED'
  | 'WITHDRAWN'
  | 'AWAITING_ASSURANCE'
  | 'SEALING'
  | 'RELEASED'
  | 'SUSPENDED'
  | 'CLOSING'
  | 'CLOSED';

export type CommandType =
  | 'RecordAssessment'
  | 'SeekClarification'
  | 'AnswerClarification'
  | 'OpenDeposit'
  | 'CompleteDeposit'
  | 'PutProposal'
  | 'CastDecision'
  | 'GiveAssurance'
  | 'DeclineAssurance'
  | 'RecordSealed'
  | 'OpenRelease'
  | 'GrantAccess'
  | 'RecordAccessFailure'
  | 'AcknowledgeReceipt'
  | 'Suspend'
  | 'Resume'
  | 'Recall'
  | 'RecordExpiry'
  | 'RecordEnd'
  | 'RecordDepositsDestroyed'
  | 'RecordFailure'
  | 'LookAtClock'
  | 'RecordUndelivered'
  | 'Withdraw';

/** Who may give a command: a capacity in which somebody acts in this very case. */
export type Capacity =
  'system' | 'requester' | 'desk-officer' | 'approver' | 'recipient-authority' | 'originator-authority' | 'recipient';

interface Row {
  readonly by: readonly Capacity[];
  /** Phases it may lead to; the phase itself when it may stay. */
  readonly to: readonly Phase[];
}

interface PhaseRules {
  readonly commands: Readonly<Partial<Record<CommandType, Row>>>;
  /** What a timeout does, in words; undefined for a phase that does not wait. */
  readonly timeout?: string;
  /** Whether the case is over. */
  readonly final: boolean;
}

/** What may come to pass in any phase and changes none. */
const ALWAYS = {
  RecordFailure: { by: ['system'], to: [] },
  RecordUndelivered: { by: ['system'], to: [] },
} satisfies PhaseRules['commands'];
const stays = (phase: Phase, ...by: Capacity[]): Row => ({ by, to: [phase] });
const final = {
  commands: { RecordDepositsDestroyed: { by: ['system'], to: [] }, ...ALWAYS },
  final: true,
} satisfies PhaseRules;

const TABLE = {
  SUBMITTED: {
    final: false,
    commands: {
      RecordAssessment: { by: ['system'], to: ['UNDER_REVIEW', 'INADMISSIBLE'] },
      Withdraw: { by: ['requester'], to: ['WITHDRAWN'] },
      ...ALWAYS,
    },
  },
  INADMISSIBLE: final,
  UNDER_REVIEW: {
    final: false,
    timeout: 'the decision clock: escalated once or lapsed, as the agreement says',
    commands: {
      SeekClarification: { by: ['desk-officer', 'approver'], to: ['AWAITING_CLARIFICATION'] },
      OpenDeposit: stays('UNDER_REVIEW', 'desk-officer'),
      CompleteDeposit: stays('UNDER_REVIEW', 'desk-officer'),
      PutProposal: stays('UNDER_REVIEW', 'desk-officer'),
      CastDecision: { by: ['approver'], to: ['UNDER_REVIEW', 'AWAITING_ASSURANCE', 'SEALING', 'REFUSED'] },
      LookAtClock: { by: ['system'], to: ['UNDER_REVIEW', 'LAPSED'] },
      Withdraw: { by: ['requester'], to: ['WITHDRAWN'] },
      ...ALWAYS,
    },
  },
  AWAITING_CLARIFICATION: {
    final: false,
    timeout: 'the clarification clock: lapsed; the decision clock stands still meanwhile',
    commands: {
      AnswerClarification: { by: ['requester'], to: ['UNDER_REVIEW'] },
      LookAtClock: { by: ['system'], to: ['AWAITING_CLARIFICATION', 'LAPSED'] },
      Withdraw: { by: ['requester'], to: ['WITHDRAWN'] },
      ...ALWAYS,
    },
  },
  REFUSED: final,
  LAPSED: final,
  WITHDRAWN: final,
  AWAITING_ASSURANCE: {
    final: false,
    timeout: 'the assurance clock: lapsed',
    commands: {
      GiveAssurance: { by: ['recipient-authority'], to: ['SEALING'] },
      DeclineAssurance: { by: ['recipient-authority'], to: ['LAPSED'] },
      LookAtClock: { by: ['system'], to: ['AWAITING_ASSURANCE', 'LAPSED'] },
      Withdraw: { by: ['requester'], to: ['WITHDRAWN'] },
      ...ALWAYS,
    },
  },
  SEALING: {
    final: false,
    commands: {
      RecordSealed: stays('SEALING', 'system'),
      OpenRelease: { by: ['system'], to: ['RELEASED', 'CLOSING'] },
      Withdraw: { by: ['requester'], to: ['CLOSING'] },
      ...ALWAYS,
    },
  },
  RELEASED: {
    final: false,
    timeout: 'the end of the window: closing',
    commands: {
      GrantAccess: stays('RELEASED', 'recipient'),
      RecordAccessFailure: stays('RELEASED', 'system'),
      AcknowledgeReceipt: stays('RELEASED', 'recipient'),
      Suspend: { by: ['approver', 'originator-authority'], to: ['SUSPENDED'] },
      Recall: { by: ['approver', 'originator-authority'], to: ['CLOSING'] },
      RecordExpiry: { by: ['system'], to: ['CLOSING'] },
      ...ALWAYS,
    },
  },
  SUSPENDED: {
    final: false,
    timeout: 'the end of the window keeps approaching: closing',
    commands: {
      RecordAccessFailure: stays('SUSPENDED', 'system'),
      AcknowledgeReceipt: stays('SUSPENDED', 'recipient'),
      Resume: { by: ['approver', 'originator-authority'], to: ['SUSPENDED', 'RELEASED'] },
      Recall: { by: ['approver', 'originator-authority'], to: ['CLOSING'] },
      RecordExpiry: { by: ['system'], to: ['CLOSING'] },
      ...ALWAYS,
    },
  },
  CLOSING: {
    final: false,
    commands: {
      RecordAccessFailure: stays('CLOSING', 'system'),
      AcknowledgeReceipt: stays('CLOSING', 'recipient'),
      RecordEnd: { by: ['system'], to: ['CLOSED', 'WITHDRAWN'] },
      RecordDepositsDestroyed: stays('CLOSING', 'system'),
      ...ALWAYS,
    },
  },
  CLOSED: {
    ...final,
    commands: { ...final.commands, AcknowledgeReceipt: stays('CLOSED', 'recipient') },
  },
} satisfies Readonly<Record<Phase, PhaseRules>>;

export const PHASES: Readonly<Record<Phase, PhaseRules>> = TABLE;

/** The phases in which the table lists a command: what `decide` may hand to the command's guards, and the compiler holds them to it. */
export type PhaseOf<C extends CommandType> = {
  [P in Phase]: C extends keyof (typeof TABLE)[P]['commands'] ? P : never;
}[Phase];

/** Whether the case waits for a party (or for the end of its window) in this phase. */
export const isWaiting = (phase: Phase): boolean => PHASES[phase].timeout !== undefined;

export const isFinal = (phase: Phase): boolean => PHASES[phase].final;

/** Commands that a phase accepts, for error messages that say what is allowed. */
export const commandsIn = (phase: Phase): readonly CommandType[] =>
  Object.keys(PHASES[phase].commands) as CommandType[];
