import { randomUUID } from 'node:crypto';
import type { Json } from './definition.ts';
import { INVOKE_PARAMETERS } from './parse-definition.ts';
import { isObject } from './parse-fields.ts';
import { StateError, withinPayloadLimit } from './state-error.ts';

/** A call of Lambda's Invoke as a task's arguments describe it. */
export interface Invocation {
  readonly functionArn: string;
  readonly payload: Json;
  readonly parameters: Json;
  /** The task's result around the function's answer. */
  response(payload: Json): Json;
}

/**
 * Reads evaluated arguments: `FunctionName` (name or ARN), `Payload`, `Qualifier`. Throws `States.Runtime` for anything else and
 * `States.DataLimitExceeded` when they are too large.
 * https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
 */
export function invocationOf(parameters: Json, region: string, account: string): Invocation {
  withinPayloadLimit(parameters, 'arguments of the task');
  if (!isObject(parameters)) throw new StateError('States.Runtime', 'The arguments of lambda:invoke must be an object');
  const unknown = Object.keys(parameters).filter((name) => !INVOKE_PARAMETERS.includes(name));
  if (unknown.length > 0)
    throw new StateError('States.Runtime', `lambda:invoke with ${unknown.join(', ')} is not implemented`);
  const { FunctionName: name, Payload: payload = {}, Qualifier: qualifier } = parameters;
  if (typeof name !== 'string' || (qualifier !== undefined && typeof qualifier !== 'string')) {
    throw new StateError('States.Runtime', 'FunctionName and Qualifier of lambda:invoke must be strings');
  }
  const arn = name.startsWith('arn:') ? name : `arn:aws:lambda:${region}:${account}:function:${name}`;
  const functionArn = qualifier === undefined ? arn : `${arn}:${qualifier}`;
  return { functionArn, payload: payload as Json, parameters: parameters as Json, response: responder(functionArn) };
}

/** The documented shape, as far as it is known here: behind an alias it is not known which version was executed. */
function responder(functionArn: string): (payload: Json) => Json {
  const qualifier = functionArn.split(':')[7] ?? '$LATEST';
  const version: { ExecutedVersion?: string } = /^(\$LATEST|\d+)$/.test(qualifier)
    ? { ExecutedVersion: qualifier }
    : {};
  return (payload) => ({
    ...version,
    Payload: payload,
    SdkHttpMetadata: { HttpHeaders: { 'Content-Type': 'application/json' }, HttpStatusCode: 200 },
    SdkResponseMetadata: { RequestId: randomUUID() },
    StatusCode: 200,
  });
}
