import { notImplemented } from '../../service.ts';
import type { GatewayResponse } from './api-model.ts';
import { type ApiRequest, headerValues, type RequestHead } from './api-request.ts';
import type { GatewayFailure } from './gateway-failure.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** A variable: `$context.` followed by a path. Anything else after a dollar is refused when the template is read. */
const VARIABLE = /\$context\.([A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)*)/g;

/**
 * Refuses what {@link renderFailure} would not understand: only `$context` variables in templates; only quoted text, `context.` and
 * `method.request.header.` in headers. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
 */
export function assertRenderable(response: GatewayResponse): void {
  for (const template of Object.values(response.templates))
    if (template.replace(VARIABLE, '').includes('$'))
      throw notImplemented('variables other than $context in the template of a gateway response');
  for (const [name, expression] of Object.entries(response.headers))
    if (!/^('[^']*'|context\.[\w.-]+|method\.request\.header\.[\w-]+)$/.test(expression))
      throw notImplemented(`the value ${expression} of the gateway response header ${name}`);
}

/** The answer to a failure: its own gateway response, or that of its class, or the default. */
export function renderFailure(
  failure: GatewayFailure,
  responses: ReadonlyMap<string, GatewayResponse>,
  request: RequestHead | ApiRequest,
  context: Readonly<Record<string, unknown>>,
): HttpAnswer {
  const chosen = responses.get(failure.type) ?? responses.get(failure.status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX');
  const values = { ...context, error: errorValues(failure) };
  const [mediaType, template] = templateOf(failure, chosen, headerValues(request, 'accept')[0]);
  const own = Object.entries(chosen?.headers ?? {}).flatMap(([name, expression]): [string, string][] => {
    const value = headerValue(expression, request, values);
    return value === undefined ? [] : [[name, value]];
  });
  const named = new Set(own.map(([name]) => name.toLowerCase()));
  const defaults: [string, string][] = [
    ['Content-Type', mediaType],
    ['x-amzn-ErrorType', failure.errorType],
  ];
  return {
    status: chosen?.statusCode ?? failure.status,
    headers: [...defaults.filter(([name]) => !named.has(name.toLowerCase())), ...own],
    body: template.replace(VARIABLE, (_, path: string) => variable(values, path)),
  };
}

function templateOf(
  failure: GatewayFailure,
  response: GatewayResponse | undefined,
  accept: string | undefined,
): readonly [mediaType: string, template: string] {
  const templates = Object.entries(response?.templates ?? {});
  const asked = templates.find(([mediaType]) => accept?.includes(mediaType));
  const json = templates.find(([mediaType]) => mediaType === 'application/json');
  const chosen = asked ?? json ?? templates[0];
  if (chosen !== undefined) return chosen;
  // What AWS itself says when a policy refuses is spelt with a capital.
  const member = failure.type === 'ACCESS_DENIED' ? 'Message' : 'message';
  return ['application/json', `{"${member}":$context.error.messageString}`];
}

const errorValues = (failure: GatewayFailure): Record<string, string> => ({
  message: failure.text ?? '',
  messageString: JSON.stringify(failure.text),
  responseType: failure.type,
});

function headerValue(
  expression: string,
  request: RequestHead | ApiRequest,
  values: Readonly<Record<string, unknown>>,
): string | undefined {
  if (expression.startsWith("'")) return expression.slice(1, -1);
  const fromHeader = /^method\.request\.header\.(.+)$/.exec(expression)?.[1];
  if (fromHeader !== undefined) return headerValues(request, fromHeader)[0];
  return variable(values, expression.replace(/^context\./, '')) || undefined;
}

/** The value at a path of `$context`; empty where there is none. */
function variable(values: unknown, path: string): string {
  let value: unknown = values;
  for (const name of path.split('.'))
    // Only own members: a template must not reach prototypes.
    value =
      typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
  return value === undefined || value === null ? '' : String(value);
}
