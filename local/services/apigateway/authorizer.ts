import * as z from 'zod';
import type { FunctionInvoker, InvocationOutcome } from '../../ports.ts';
import type { Authorizer } from './api-model.ts';
import { type ApiRequest, headerValues } from './api-request.ts';
import { GatewayFailure } from './gateway-failure.ts';
import {
  authorizerEvent,
  type AuthorizerValues,
  methodArn,
  requestContext,
  type ServedStage,
} from './request-context.ts';
import type { Route } from './routes.ts';

const oneOrMany = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** Members that are not named (conditions, other principals) fail the whole answer: what they would mean is not evaluated here. */
const authorizerAnswer = z.strictObject({
  principalId: z.string(),
  policyDocument: z.strictObject({
    Version: z.literal('2012-10-17'),
    Statement: z.union([z.unknown().array(), z.unknown().transform((statement) => [statement])]).pipe(
      z.array(
        z.strictObject({
          Sid: z.string().optional(),
          Effect: z.enum(['Allow', 'Deny']),
          Action: oneOrMany,
          Resource: oneOrMany,
        }),
      ),
    ),
  }),
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

type AuthorizerAnswer = z.output<typeof authorizerAnswer>;

/**
 * Asks the Lambda authorizer of a method. Returns what it says of the caller, all of it as text; throws `UNAUTHORIZED`,
 * `ACCESS_DENIED` or `AUTHORIZER_CONFIGURATION_ERROR`. Nothing is cached.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
 */
export async function askAuthorizer(
  authorizer: Authorizer,
  stage: ServedStage,
  request: ApiRequest,
  route: Route,
  functions: FunctionInvoker,
): Promise<AuthorizerValues> {
  if (!authorizer.identitySource.every((source) => hasIdentity(source, stage, request, route)))
    throw new GatewayFailure('UNAUTHORIZED');
  const answer = readAnswer(await invoke(authorizer, stage, request, route, functions));
  assertAllowed(answer, methodArn(stage, request));
  const context = Object.entries(answer.context ?? {}).map(([name, value]) => [name, String(value)] as const);
  return { ...Object.fromEntries(context), principalId: answer.principalId };
}

const misconfigured = (reason: string): GatewayFailure =>
  new GatewayFailure('AUTHORIZER_CONFIGURATION_ERROR', undefined, reason);

async function invoke(
  authorizer: Authorizer,
  stage: ServedStage,
  request: ApiRequest,
  route: Route,
  functions: FunctionInvoker,
): Promise<InvocationOutcome> {
  const sourceArn = `arn:aws:execute-api:${stage.region}:${stage.account}:${stage.apiId}/authorizers/${authorizer.id}`;
  const caller = { kind: 'service', account: stage.account, principal: 'apigateway.amazonaws.com', sourceArn } as const;
  try {
    return await functions.invoke(authorizer.functionArn, authorizerEvent(stage, request, route), caller);
  } catch (error) {
    throw misconfigured(`authorizer ${authorizer.name} cannot be invoked: ${String(error)}`);
  }
}

function readAnswer(outcome: InvocationOutcome): AuthorizerAnswer {
  if (!outcome.ok) {
    if (outcome.errorMessage === 'Unauthorized') throw new GatewayFailure('UNAUTHORIZED');
    throw misconfigured(`the authorizer failed: ${outcome.errorType}: ${outcome.errorMessage}`);
  }
  const answer = authorizerAnswer.safeParse(outcome.payload);
  if (!answer.success) throw misconfigured(`the authorizer's answer is malformed: ${z.prettifyError(answer.error)}`);
  return answer.data;
}

function assertAllowed({ policyDocument }: AuthorizerAnswer, arn: string): void {
  const applies = policyDocument.Statement.filter(
    ({ Action, Resource }) =>
      Action.some((action) => matches(action.toLowerCase(), 'execute-api:invoke')) &&
      Resource.some((resource) => matches(resource, arn)),
  );
  const text = 'User is not authorized to access this resource';
  if (applies.some(({ Effect }) => Effect === 'Deny'))
    throw new GatewayFailure('ACCESS_DENIED', `${text} with an explicit deny in an identity-based policy`);
  if (applies.length === 0) throw new GatewayFailure('ACCESS_DENIED', text, `no statement allows ${arn}`);
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/configure-api-gateway-lambda-authorization.html */
function hasIdentity(source: string, stage: ServedStage, request: ApiRequest, route: Route): boolean {
  const [, place, name = ''] = /^(?:method\.request\.(header|querystring)|context)\.(.+)$/.exec(source) ?? [];
  if (place === 'header') return headerValues(request, name).some((value) => value.trim() !== '');
  if (place === 'querystring') return request.query.some(([candidate, value]) => candidate === name && value !== '');
  return Boolean(requestContext(stage, request, route)[name]);
}
