import type { CommandType } from '../../lambdas/domain/phases.ts';

/** The command of this client by which a person gives a command of the exchange. */
const WORDS: Readonly<Partial<Record<CommandType, string>>> = {
  SeekClarification: 'clarify ask',
  AnswerClarification: 'clarify answer',
  OpenDeposit: 'deposit',
  CompleteDeposit: 'deposit',
  PutProposal: 'propose',
  CastDecision: 'decide',
  GiveAssurance: 'assure',
  DeclineAssurance: 'assure',
  GrantAccess: 'open',
  AcknowledgeReceipt: 'receipt',
  Suspend: 'suspend',
  Resume: 'resume',
  Recall: 'recall',
  Withdraw: 'withdraw',
};

const isKnown = (command: string): command is CommandType => Object.hasOwn(WORDS, command);

/** What somebody may do, as this client calls it, each once; a command that it does not know stands as it is. */
export const commandsInWords = (commands: readonly string[]): string =>
  [...new Set(commands.map((command) => (isKnown(command) ? WORDS[command] : command)))].join(', ');
