import type { LambdaClientConfig } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { functionNameIn, operatorRoleName } from '../../lambdas/contracts/names.ts';
import { canaryReport, type CanaryReport, type CanaryRequest } from '../../lambdas/contracts/canary-report.ts';
import type { OperatorRequest } from '../../lambdas/contracts/operator.ts';
import { isLoopback } from './addresses.ts';
import { ClientError, codeOf, unavailable } from './errors.ts';
import { askExchange } from './exchange-time.ts';
import { EXIT } from './exit-codes.ts';
import type { Session } from './session.ts';
import { send } from './transport.ts';

/** Options of every command for operators. */
export interface OperatorOptions {
  readonly env?: string;
}

/** Where AWS is, and who calls it: what a client of the SDK is made with. */
type Aws = Pick<LambdaClientConfig, 'endpoint' | 'region' | 'credentials' | 'systemClockOffset'>;

/** The functions that operators invoke. */
type Asked = 'answer-operator' | 'run-canary';

/** An operator of an exchange, who calls AWS in their own right. */
export interface Operator {
  readonly environment: string;
  readonly aws: Aws;
  /** Asks the function that answers operators. */
  ask<Schema extends z.ZodType>(request: OperatorRequest, answer: Schema): Promise<z.output<Schema>>;
  /** Has the canary run, and waits for its report. */
  runCanary(request: CanaryRequest): Promise<CanaryReport>;
}

const credentials = z.object({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.string(),
  region: z.string(),
});

/**
 * On this machine the runtime gives the operators' role to whoever sits here; its clock may be ahead, and signatures follow it. Elsewhere
 * the SDK finds region and credentials as every AWS tool does.
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/setting-credentials-node.html
 */
async function awsOf({ connection, signal }: Session, environment: string): Promise<Aws> {
  if (!isLoopback(connection.exchange)) return {};
  const role = operatorRoleName(environment);
  const { at } = await askExchange(connection);
  const reply = await send(
    {
      method: 'POST',
      url: `${connection.exchange}/_local/credentials`,
      headers: { 'x-local-control': '1', 'content-type': 'application/json' },
      body: JSON.stringify({ role }),
    },
    { signal },
  );
  if (reply.status !== 200) {
    throw new ClientError(
      EXIT.notPermitted,
      'NO_OPERATOR',
      `${connection.exchange} gives nobody the role ${role}.`,
      'Start the exchange with npm start, or name its environment with --env.',
    );
  }
  const { region, ...given } = credentials.parse(JSON.parse(reply.text));
  return {
    endpoint: connection.exchange,
    region,
    credentials: given,
    systemClockOffset: Date.parse(at) - Date.now(),
  };
}

/** What AWS or the SDK refuses, in words of ours; the rest is passed on. */
function asClientError(error: unknown, { environment }: { readonly environment: string }): unknown {
  const name = error instanceof Error ? error.name : '';
  const role = operatorRoleName(environment);
  if (name === 'CredentialsProviderError' || /token.*(expired|invalid)|^Expired/i.test(name)) {
    return new ClientError(
      EXIT.notPermitted,
      'NO_CREDENTIALS',
      'There are no valid AWS credentials.',
      `Use a profile that assumes the role ${role} (AWS_PROFILE), and its Region (AWS_REGION).`,
      error,
    );
  }
  if (name.startsWith('AccessDenied')) {
    return new ClientError(
      EXIT.denied,
      'NOT_AN_OPERATOR',
      `These AWS credentials are not those of an operator of ${environment}.`,
      `Assume the role ${role} of the exchange's account.`,
      error,
    );
  }
  if (name === 'ResourceNotFoundException') {
    return new ClientError(
      EXIT.usage,
      'NO_SUCH_EXCHANGE',
      `In this account and Region there is no exchange ${environment} that answers operators.`,
      'Check AWS_PROFILE, AWS_REGION and --env; an exchange of an earlier release is upgraded first.',
      error,
    );
  }
  return ['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT'].includes(codeOf(error) ?? '')
    ? unavailable('AWS cannot be reached.', 'Try again later.', error)
    : error;
}

/** Turns what AWS refuses into an error that says what to do. */
export const asOperator = <T>(operator: Pick<Operator, 'environment'>, call: Promise<T>): Promise<T> =>
  call.catch((error: unknown) => Promise.reject(asClientError(error, operator)));

const functionError = z.object({ errorType: z.string() });

async function invoke(
  operator: Pick<Operator, 'environment' | 'aws'>,
  name: Asked,
  request: OperatorRequest | CanaryRequest,
): Promise<unknown> {
  // Loaded here: only operators need it.
  const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
  const client = new LambdaClient(operator.aws);
  try {
    const FunctionName = functionNameIn(operator.environment, name);
    const call = client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(request) }));
    const { FunctionError, Payload } = await asOperator(operator, call);
    const payload: unknown = JSON.parse(Payload?.transformToString() ?? 'null');
    if (FunctionError === undefined) return payload;
    const { errorType } = functionError.parse(payload);
    throw new ClientError(
      EXIT.failed,
      'NOT_ANSWERED',
      `The exchange could not answer: ${errorType}.`,
      `Read the log of ${FunctionName}, and try again.`,
    );
  } finally {
    client.destroy();
  }
}

/** Who may invoke no such function is not told whether there is one. */
const noCanary = (environment: string, cause: ClientError): ClientError =>
  new ClientError(
    cause.exit,
    'NO_CANARY',
    `${environment} has no canary that these credentials may run.`,
    `An exchange behind mutual TLS has none. Elsewhere: ${cause.next}`,
    cause,
  );

/** The operator who runs a command. */
export async function operatorOf(session: Session, { env }: OperatorOptions): Promise<Operator> {
  const environment = env ?? (await askExchange(session.connection)).environment;
  const operator = { environment, aws: await awsOf(session, environment) };
  const answerTo = async <Schema extends z.ZodType>(
    schema: Schema,
    name: Asked,
    request: OperatorRequest | CanaryRequest,
  ): Promise<z.output<Schema>> => {
    const answer = schema.safeParse(await invoke(operator, name, request));
    if (answer.success) return answer.data;
    throw new ClientError(
      EXIT.failed,
      'UNEXPECTED_ANSWER',
      `${environment} answered operators in a form that this client does not know.`,
      'Use the client of the release that is deployed.',
      answer.error,
    );
  };
  return {
    ...operator,
    ask: (request, schema) => answerTo(schema, 'answer-operator', request),
    runCanary: (request) =>
      answerTo(canaryReport, 'run-canary', request).catch((error: unknown) => {
        const absent = error instanceof ClientError && ['NO_SUCH_EXCHANGE', 'NOT_AN_OPERATOR'].includes(error.code);
        throw absent ? noCanary(environment, error) : error;
      }),
  };
}
