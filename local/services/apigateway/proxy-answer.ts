import * as z from 'zod';
import type { InvocationOutcome } from '../../ports.ts';
import { GatewayFailure } from './gateway-failure.ts';
import type { HttpAnswer } from './gateway-response.ts';

const value = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format */
const proxyAnswer = z.strictObject({
  statusCode: z
    .union([
      z.number().int(),
      z
        .string()
        .regex(/^\d{3}$/)
        .transform(Number),
    ])
    .pipe(z.number().min(100).max(599)),
  headers: z.record(z.string(), value).nullish(),
  multiValueHeaders: z.record(z.string(), z.array(value)).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
});

/**
 * Headers of an integration's answer that reach the client under `x-amzn-Remapped-`, because the gateway writes its own.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
 */
const REMAPPED = new Set([
  'authorization',
  'connection',
  'content-length',
  'content-md5',
  'date',
  'host',
  'server',
  'transfer-encoding',
  'user-agent',
  'www-authenticate',
]);

/** Throws `INTEGRATION_FAILURE` for an error of the function, and for an answer that is not of the proxy format. */
export function readProxyAnswer(outcome: InvocationOutcome): HttpAnswer {
  const failed = (reason: string): GatewayFailure => new GatewayFailure('INTEGRATION_FAILURE', undefined, reason);
  if (!outcome.ok) throw failed(`the function failed: ${outcome.errorType}: ${outcome.errorMessage}`);
  const answer = proxyAnswer.safeParse(outcome.payload);
  if (!answer.success) throw failed(`Malformed Lambda proxy response: ${z.prettifyError(answer.error)}`);
  const { statusCode, headers, multiValueHeaders, body } = answer.data;
  const repeated = Object.entries(multiValueHeaders ?? {}).flatMap(([name, values]) =>
    values.map((each): [string, string] => [name, each]),
  );
  const named = new Set(repeated.map(([name]) => name.toLowerCase()));
  // Where both name a header, the values of multiValueHeaders count.
  const once = Object.entries(headers ?? {}).filter(([name]) => !named.has(name.toLowerCase()));
  const all = [...once, ...repeated];
  const invalid = all.find(
    ([name, each]) => !/^[!#$%&'*+.^_`|~\w-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(each),
  );
  if (invalid !== undefined) throw failed(`the header ${invalid[0]} cannot be sent`);
  const typed = all.some(([name]) => name.toLowerCase() === 'content-type');
  return {
    status: statusCode,
    headers: [
      ...(typed ? [] : [['Content-Type', 'application/json'] as const]),
      ...all.map(
        ([name, each]) => [REMAPPED.has(name.toLowerCase()) ? `x-amzn-Remapped-${name}` : name, each] as const,
      ),
    ],
    // Without binary media types a body in base64 is sent as the text it is.
    body: body ?? '',
  };
}
