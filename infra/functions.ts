import { ENV } from '../lambdas/contracts/names.ts';
import type { Environment } from './environments/schema.ts';

type EnvName = (typeof ENV)[keyof typeof ENV];

/** One function of the exchange: where its code is, what it is given, what it may take. */
export interface FunctionSpec {
  readonly entry: string;
  readonly description: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly environment: readonly EnvName[];
  /** What lies beside the code, for the function to read when it is asked for it. */
  readonly files?: readonly string[];
}

/** What a function that reads or changes cases is given. */
const CASES = [ENV.casesTable, ENV.tallyTable, ENV.directoryTable, ENV.nation, ENV.foundingOfficers] as const;

const step = (name: string, description: string, environment: readonly EnvName[] = []): FunctionSpec => ({
  entry: `lambdas/steps/${name}/handler.ts`,
  description,
  memoryMb: 512,
  timeoutSeconds: 30,
  environment: [...CASES, ...environment],
});

/** Every function, by name. Names are those of the architecture: the console reads like the design. */
export const FUNCTIONS = {
  'assess-request': step('assess-request', 'Reads where a case stands; assesses a new request; looks at the clock.'),
  'await-party': step('await-party', 'Parks the token of an execution that waits for a party.', [ENV.tokensTable]),
  'seal-package': {
    ...step('seal-package', 'Seals the approved documents into a package and destroys the deposits.', [
      ENV.depositsBucket,
      ENV.packagesBucket,
      ENV.packageKeyId,
    ]),
    memoryMb: 1769,
    timeoutSeconds: 900,
  },
  'open-release': step('open-release', 'Opens the release of a sealed package once no deposit is left.', [
    ENV.depositsBucket,
  ]),
  'close-release': {
    ...step('close-release', 'Ends a release: destroys what remains, verifies it, records it.', [
      ENV.depositsBucket,
      ENV.packagesBucket,
    ]),
    timeoutSeconds: 120,
  },
  'record-failure': step('record-failure', 'Records on the case that an attempt failed.'),
  api: {
    entry: 'lambdas/api/handler.ts',
    description: 'Answers the API.',
    memoryMb: 1024,
    timeoutSeconds: 20,
    environment: [...CASES, ENV.idempotencyTable, ENV.depositsBucket, ENV.environment],
    files: ['lambdas/contracts/openapi.json'],
  },
  'grant-access': {
    entry: 'lambdas/api/grant-access.ts',
    description: 'Opens a release once for a named recipient.',
    memoryMb: 1024,
    timeoutSeconds: 20,
    environment: [...CASES, ENV.packagesBucket, ENV.releaseAccessRole, ENV.vaultKeyArn],
  },
  'authenticate-caller': {
    entry: 'lambdas/api/authenticate-caller.ts',
    description: "Verifies the caller's token, and its certificate.",
    memoryMb: 512,
    timeoutSeconds: 10,
    environment: [ENV.issuers, ENV.audience, ENV.certificates, ENV.canaryKey],
  },
  'resume-workflow': {
    entry: 'lambdas/events/resume-workflow/handler.ts',
    description: 'Starts and wakes executions as the case file says.',
    memoryMb: 512,
    timeoutSeconds: 30,
    environment: [ENV.casesTable, ENV.tokensTable, ENV.stateMachine],
  },
  announce: {
    entry: 'lambdas/events/announce/handler.ts',
    description: 'Tells the bus and the people of what happened.',
    memoryMb: 512,
    timeoutSeconds: 60,
    environment: [...CASES, ENV.bus, ENV.mailFrom, ENV.portal],
  },
  'sweep-cases': {
    entry: 'lambdas/events/sweep-cases/handler.ts',
    description: 'Repairs what a crash or a lost record left behind.',
    memoryMb: 512,
    timeoutSeconds: 50,
    environment: [...CASES, ENV.stateMachine],
  },
  'record-bounce': {
    entry: 'lambdas/events/record-bounce/handler.ts',
    description: 'Records that a mail did not arrive, and that its reader cannot be reached.',
    memoryMb: 512,
    timeoutSeconds: 30,
    environment: CASES,
  },
  'answer-operator': {
    entry: 'lambdas/events/answer-operator/handler.ts',
    description: 'Tells operators where cases stand, by ids and counts.',
    memoryMb: 512,
    timeoutSeconds: 60,
    environment: [ENV.casesTable, ENV.stateMachine, ENV.sweep],
  },
  'run-canary': {
    entry: 'lambdas/events/run-canary/handler.ts',
    description: 'Carries an exercise case through the API, from the request to the end.',
    memoryMb: 512,
    timeoutSeconds: 600,
    environment: [ENV.nation, ENV.audience, ENV.apiAddress, ENV.canaryKey],
  },
} as const satisfies Readonly<Record<string, FunctionSpec>>;

export type FunctionName = keyof typeof FUNCTIONS;

/** The functions that an environment has: all of them, but for the canary where there is none. */
export const functionsOf = ({ canary }: Pick<Environment, 'canary'>): readonly FunctionName[] =>
  (Object.keys(FUNCTIONS) as FunctionName[]).filter((name) => name !== 'run-canary' || canary !== null);
