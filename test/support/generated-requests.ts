import fc from 'fast-check';
import document from '../../lambdas/contracts/openapi.json' with { type: 'json' };
import { isMutation, ROUTES, type OperationId, type Route } from '../../lambdas/contracts/routes.ts';

/** A request as it goes onto the wire; `{{name}}` stands for something of the case that it is about. */
export interface Generated {
  /** The route that it was made for; the request itself may be of none. */
  readonly operation: OperationId;
  readonly method: string;
  readonly path: string;
  /** In order; a name may stand twice. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | undefined;
  /** Whose token is shown; `nobody` shows none. */
  readonly caller: string;
  /** In which phase the case is that it is about. */
  readonly phase: string;
  /** What was done to it, in words; nothing: it has the form that the route takes. */
  readonly changed: readonly string[];
}

type Schema = Readonly<Record<string, unknown>>;
const schemas = document.components.schemas as Readonly<Record<string, Schema>>;

/** Texts that somebody could mean. */
const words = fc
  .array(fc.constantFrom('tender', 'Київ', 'lot', 'Été', '7', '=1+1', '<b>', '%s', 'ʼ', '𝔘'), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.join(' '));

/** What a value is likely to be about, by the name of its member: values of the case at hand, so that requests get far. */
const LIKELY: Readonly<Record<string, readonly unknown[]>> = {
  agreementId: ['CAN-UKR-EXERCISE', 'CAN-UKR'],
  purpose: ['tender', 'project-security'],
  mark: ['PROTECTED A', 'PROTECTED A', 'PROTECTED A', 'PROTECTED B', 'SECRET'],
  axis: ['protected'],
  recipients: ['ukr-recipient-1'],
  personId: ['ukr-recipient-1', 'ukr-recipient-1', 'ukr-recipient-1', 'can-desk-1'],
  keyFingerprint: ['{{keyFingerprint}}'],
  depositId: ['{{depositId}}'],
  proposalDigest: ['{{proposalDigest}}'],
  digest: ['{{digest}}'],
  accessId: ['{{accessId}}'],
  previousCase: ['{{caseId}}'],
  role: ['releasing-officer', 'security-officer'],
  ground: ['too-broad', 'national-interest'],
  length: [1, 8, 5 * 1024 ** 3],
  notBefore: ['{{now}}'],
  notAfter: ['{{tomorrow}}', '{{tomorrow}}', '{{tomorrow}}', '9999-12-31T23:59:59Z'],
  validTo: ['2040-01-01T00:00:00Z'],
  origin: ['CAN', 'CAN', 'UKR'],
  zone: ['Europe/Kyiv', 'America/Toronto'],
  citizenships: ['CAN', 'UKR'],
  publicKeys: ['{{publicKey}}'],
  subjects: ['https://exercise.valiza.example/can|can-desk-1'],
};

/** Values that a schema of the API's description takes. */
function valid(schema: Schema, name = ''): fc.Arbitrary<unknown> {
  const made = ofSchema(schema, name);
  const likely = LIKELY[name];
  return likely === undefined || schema['type'] === 'array' || schema['type'] === 'object'
    ? made
    : fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...likely) }, { weight: 1, arbitrary: made });
}

function ofSchema(schema: Schema, name: string): fc.Arbitrary<unknown> {
  const reference = schema['$ref'];
  if (typeof reference === 'string') return valid(schemas[reference.split('/').at(-1) ?? ''] ?? {}, name);
  const alternatives = schema['anyOf'] as readonly Schema[] | undefined;
  if (alternatives !== undefined) return fc.oneof(...alternatives.map((each) => valid(each, name)));
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  switch (schema['type']) {
    case 'string':
      return text(schema);
    case 'integer':
      return fc.integer({
        min: Number(schema['minimum'] ?? 0),
        max: Math.min(Number(schema['maximum'] ?? 1e6), 2 ** 31 - 1),
      });
    case 'boolean':
      return fc.boolean();
    case 'array': {
      const [least, most] = [Number(schema['minItems'] ?? 0), Number(schema['maxItems'] ?? 3)];
      // Of what is likely there is one, and of two that are the same most are refused.
      return fc.oneof(
        {
          weight: 12,
          arbitrary: fc.array(valid(schema['items'] as Schema, name), {
            minLength: least,
            maxLength: Math.max(least, 1),
          }),
        },
        {
          weight: 1,
          arbitrary: fc.array(valid(schema['items'] as Schema, name), { minLength: most, maxLength: most }),
        },
      );
    }
    case 'object': {
      const properties = schema['properties'] as Readonly<Record<string, Schema>>;
      const members = Object.fromEntries(
        Object.entries(properties).map(([member, each]) => [member, valid(each, member)]),
      );
      return fc.record(members, { requiredKeys: (schema['required'] ?? []) as string[] });
    }
    default:
      throw new Error(`A schema of the API is of a kind that is not generated here: ${JSON.stringify(schema)}`);
  }
}

function text(schema: Schema): fc.Arbitrary<string> {
  const { pattern, format, minLength = 1, maxLength = 200 } = schema as Record<string, never>;
  if (format === 'date-time')
    return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((at) => at.toISOString());
  if (format === 'email') return fc.constantFrom('a@b.example', "o'neil+x@sub.exercise.example");
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return fc.oneof(
    { weight: 6, arbitrary: words.map((each) => each.slice(0, maxLength)) },
    { weight: 1, arbitrary: fc.constant('x'.repeat(minLength)) },
    { weight: 1, arbitrary: fc.constant('x'.repeat(maxLength)) },
  );
}

/** Texts that parsers, stores, logs and terminals have been broken with. */
const HOSTILE = [
  '',
  ' ',
  '\u0000',
  '\u001b]0;x\u0007',
  '\u202e',
  '\ud800',
  'e\u0301',
  '\ufeff',
  '\uffff',
  '%00',
  '%n%s',
  '../../etc/passwd',
  "' OR 1=1 --",
  '${7*7}',
  '{{7*7}}',
  '$where',
  '<script>alert(1)</script>',
  '=cmd|x!A0',
  '__proto__',
  'constructor',
  'null',
  'HEAD',
  'EV#000001',
  'REGISTER#CAN-2026',
  '-1',
  '1e999',
  '0x10',
  'NaN',
  '٣',
  '\u2028',
  'a'.repeat(10_000),
  '𝔘'.repeat(200),
  '[object Object]',
  '\\',
  '"',
  '\r\nX: y',
];
const WRONG = [null, true, 0, -1, 1.5, 2 ** 60, '', 'x', [], {}, [[]], { a: 1 }];

type Container = unknown[] | Record<string, unknown>;
const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/** Every place of a JSON value that can be changed: a container and a key of it. */
function places(value: unknown): [Container, string | number][] {
  if (!isContainer(value)) return [];
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  // The key is one of the container's.
  return [...keys].flatMap((key) => [
    [value, key] as [Container, string | number],
    ...places((value as Record<string, unknown>)[key]),
  ]);
}

/** A change of a JSON value in one place. */
const inPlace = (change: (container: Record<string | number, unknown>, key: string | number, pick: number) => void) =>
  fc.nat().map((pick) => (body: string): string => {
    const value: unknown = JSON.parse(body);
    const all = places(value);
    const [container, key] = all[pick % Math.max(1, all.length)] ?? [];
    if (container !== undefined && key !== undefined) change(container as Record<string | number, unknown>, key, pick);
    return JSON.stringify(value);
  });

/** What can be wrong with a body. */
const BODIES: Readonly<Record<string, fc.Arbitrary<(body: string) => string | undefined>>> = {
  'a member less': inPlace((container, key) => {
    if (Array.isArray(container)) container.splice(Number(key), 1);
    else delete container[key];
  }),
  'a member more': fc.constantFrom('nation', 'toString', 'constructor', 'caseId', 'x').map((name) => (body) => {
    return body.replace(/\}$/, `${body === '{}' ? '' : ','}"${name}":"x"}`);
  }),
  'a member of another type': inPlace((container, key, pick) => void (container[key] = WRONG[pick % WRONG.length])),
  'a hostile text': inPlace((container, key, pick) => void (container[key] = HOSTILE[pick % HOSTILE.length])),
  'a text that is far too long': inPlace((container, key) => void (container[key] = 'x'.repeat(9000))),
  'a list of a thousand': inPlace((container, key) => void (container[key] = Array(1000).fill('x'))),
  'a member twice': fc.constant((body) => body.replace(/^\{(("\w+"):)/, '{$2:1,$1')),
  'a member that is no member': fc.constant((body) =>
    body.replace(/\}$/, `${body === '{}' ? '' : ','}"__proto__":{"x":1}}`),
  ),
  'less than all of it': fc.nat(200).map((length) => (body) => body.slice(0, length % Math.max(1, body.length))),
  'something behind it': fc.constantFrom('{}', ',', '\u0000', ' \n ', '//').map((tail) => (body) => body + tail),
  'something before it': fc.constantFrom('\ufeff', ")]}',\n", ' ').map((front) => (body) => front + body),
  'another value': fc
    .constantFrom('null', '[]', '"x"', '1', '1e400', 'true', '', '{', '[[]]')
    .map((value) => () => value),
  'no body': fc.constant(() => undefined),
  'thousands of levels': fc.constantFrom('[', '{"a":').map((open) => () => open.repeat(5000)),
  'far too many bytes': fc.constant((body) => `{"x":"${'x'.repeat(300_000)}","y":${body}}`),
};

type Headers = (readonly [string, string])[];
const set = (headers: Headers, name: string, ...values: readonly string[]): Headers => [
  ...headers.filter(([each]) => each !== name),
  ...values.map((value) => [name, value] as const),
];

/** What can be wrong with the headers. */
const HEADERS: Readonly<Record<string, fc.Arbitrary<(headers: Headers) => Headers>>> = {
  'another media type': fc
    .constantFrom(
      'text/plain',
      'application/xml',
      'application/json, text/plain',
      '',
      'application/jsonx',
      'multipart/form-data; boundary=x',
    )
    .map((type) => (headers) => set(headers, 'content-type', type)),
  'a media type with parameters': fc.constant((headers) =>
    set(headers, 'content-type', 'Application/JSON; charset="utf-16"'),
  ),
  'no media type': fc.constant((headers) => set(headers, 'content-type')),
  'the media type twice': fc.constant((headers) => set(headers, 'content-type', 'application/json', 'text/plain')),
  'no idempotency key': fc.constant((headers) => set(headers, 'idempotency-key')),
  'another idempotency key': fc
    .constantFrom('', 'short', 'x'.repeat(81), 'with spaces in it', '"quoted-key"', 'a,b,c,d,e,f', '%00%00%00')
    .map((key) => (headers) => set(headers, 'idempotency-key', key)),
  'two idempotency keys': fc.constant((headers) => set(headers, 'idempotency-key', 'the-first-key', 'the-second-key')),
  'another If-Match': fc
    .constantFrom(
      '*',
      '',
      'x',
      '"x"',
      'W/"{{proposalDigest}}"',
      '{{proposalDigest}}',
      '"a", "{{proposalDigest}}"',
      '"sha256:0"',
    )
    .map((match) => (headers) => set(headers, 'if-match', match)),
  'no If-Match': fc.constant((headers) => set(headers, 'if-match')),
  'If-Match twice': fc.constant((headers) => set(headers, 'if-match', '"x"', '"{{proposalDigest}}"')),
  'If-None-Match': fc.constantFrom('*', '"1"').map((match) => (headers) => set(headers, 'if-none-match', match)),
  'headers of proxies': fc.constant((headers) => [
    ...headers,
    ['x-http-method-override', 'DELETE'],
    ['x-forwarded-for', '127.0.0.1'],
    ['x-original-url', '/v1/healthz'],
    ['x-amzn-trace-id', 'Root=x'],
  ]),
  'another Accept': fc
    .constantFrom('text/html', '*/*;q=0', 'x')
    .map((accept) => (headers) => set(headers, 'accept', accept)),
  'an encoding': fc
    .constantFrom('gzip', 'br', 'identity, gzip')
    .map((name) => (headers) => set(headers, 'content-encoding', name)),
  'a very long header': fc
    .constantFrom(5000, 9000, 12_000)
    .map((length) => (headers) => [...headers, ['x-long', 'x'.repeat(length)]]),
  'another authorization': fc
    .constantFrom('Bearer x', 'Basic eDp5', 'Bearer', `Bearer ${'a'.repeat(3000)}.b.c`, 'bearer e30.e30.e30')
    .map((value) => (headers) => set(headers, 'authorization', value)),
};

/** What can be wrong with a path: of an id in it, or as a whole. */
const PATHS: Readonly<Record<string, fc.Arbitrary<(path: string) => string>>> = {
  'another id': fc
    .constantFrom(
      '0'.repeat(32),
      'x',
      '..',
      '%2e%2e',
      '%00',
      '%C0%AF',
      '%',
      '%zz',
      '%25',
      'F'.repeat(32),
      '__proto__',
      'f'.repeat(2000),
      '%F0%9F%8F%B4',
      '{caseId}',
      '*',
    )
    .map((id) => (path) => path.replace(/\{\{\w+\}\}/, id)),
  'an encoded letter': fc.constant((path) => path.replace('/v1/', '/%76%31/')),
  capitals: fc.constant((path) => path.replace('/v1/', '/V1/')),
  'a slash more': fc
    .constantFrom('/', '//', '/.', '/..', ';x=1', '%2f', '#x', '%20')
    .map((tail) => (path) => path.replace(/(\?|$)/, `${tail}$1`)),
  'a slash before it': fc.constant((path) => `/${path}`),
};

/** What can be wrong with a query; of the routes that have one, and of all others. */
const QUERY = fc
  .array(
    fc.tuple(
      fc.constantFrom('limit', 'cursor', 'view', 'phase', 'nation', 'x', 'limit', '__proto__', ''),
      fc.constantFrom(
        '1',
        '50',
        '0',
        '51',
        '-1',
        'x',
        '',
        'own',
        'queue',
        'UNDER_REVIEW',
        'CLOSED',
        'UKR',
        'eA',
        '%00',
        '%zz',
        '%',
        '+',
        '1|2',
        '{}',
        ';',
        '%F0%9F',
        'x'.repeat(2000),
      ),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'));

const GOOD_QUERY = fc.constantFrom(
  '',
  '',
  '?limit=5',
  '?limit=1&view=queue',
  '?view=own',
  '?view=queue&phase=RELEASED',
  '?nation=CAN',
  '?limit=50&nation=UKR',
);

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'];

/** The phases that cases of the test stand in. */
export const GENERATED_PHASES = [
  'UNDER_REVIEW',
  'AWAITING_CLARIFICATION',
  'PROPOSED',
  'AWAITING_ASSURANCE',
  'RELEASED',
  'SUSPENDED',
  'WITHDRAWN',
] as const;
type Phase = (typeof GENERATED_PHASES)[number];

/** Who calls an operation in earnest. */
const USUAL: Readonly<Partial<Record<OperationId, readonly string[]>>> = {
  submitRequest: ['ukr-requester-1'],
  clarify: ['can-desk-1', 'ukr-requester-1'],
  openDeposit: ['can-desk-1'],
  completeDeposit: ['can-desk-1'],
  putProposal: ['can-desk-1'],
  castDecision: ['can-releasing-1', 'can-releasing-2', 'can-security-1'],
  giveAssurance: ['ukr-authority-1'],
  grantAccess: ['ukr-recipient-1'],
  acknowledgeReceipt: ['ukr-recipient-1'],
  suspendRelease: ['can-authority-1'],
  resumeRelease: ['can-authority-1', 'can-releasing-1'],
  recallRelease: ['can-releasing-1'],
  withdrawRequest: ['ukr-requester-1'],
  proposeChange: ['can-directory-1', 'ukr-directory-1'],
  confirmChange: ['can-directory-2'],
};
/** In which phases an operation may succeed. */
const FITTING: Readonly<Partial<Record<OperationId, readonly Phase[]>>> = {
  clarify: ['UNDER_REVIEW', 'AWAITING_CLARIFICATION'],
  openDeposit: ['UNDER_REVIEW', 'PROPOSED'],
  completeDeposit: ['UNDER_REVIEW', 'PROPOSED'],
  putProposal: ['UNDER_REVIEW', 'PROPOSED'],
  castDecision: ['PROPOSED'],
  giveAssurance: ['AWAITING_ASSURANCE'],
  grantAccess: ['RELEASED'],
  acknowledgeReceipt: ['RELEASED'],
  suspendRelease: ['RELEASED'],
  resumeRelease: ['SUSPENDED'],
  recallRelease: ['RELEASED', 'SUSPENDED'],
  withdrawRequest: ['UNDER_REVIEW', 'AWAITING_ASSURANCE'],
};
const CALLERS = [
  'can-desk-1',
  'ukr-requester-1',
  'ukr-authority-1',
  'can-authority-1',
  'ukr-recipient-1',
  'can-directory-1',
  'ukr-directory-2',
  'can-stranger-1',
  'nobody',
];

type Change = { readonly what: string; readonly apply: (request: Generated) => Generated };

const changing = <T>(
  kinds: Readonly<Record<string, fc.Arbitrary<T>>>,
  apply: (request: Generated, change: T) => Partial<Generated>,
): fc.Arbitrary<Change> =>
  fc.oneof(
    ...Object.entries(kinds).map(([what, arbitrary]) =>
      arbitrary.map((change) => ({ what, apply: (request: Generated) => ({ ...request, ...apply(request, change) }) })),
    ),
  );

const CHANGES: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: changing(BODIES, ({ body = '{}' }, change) => ({ body: change(body) })) },
  { weight: 4, arbitrary: changing(HEADERS, ({ headers }, change) => ({ headers: change([...headers]) })) },
  { weight: 2, arbitrary: changing(PATHS, ({ path }, change) => ({ path: change(path) })) },
  {
    weight: 2,
    arbitrary: changing({ 'another query': QUERY }, ({ path }, query) => ({ path: `${path.split('?')[0]}?${query}` })),
  },
  { weight: 1, arbitrary: changing({ 'another method': fc.constantFrom(...METHODS) }, (_, method) => ({ method })) },
);

/** A change after which the next one may find a body that is no JSON: then only that of the first counts. */
function changed(request: Generated, changes: readonly Change[]): Generated {
  let made = request;
  for (const { what, apply } of changes) {
    try {
      made = { ...apply(made), changed: [...made.changed, what] };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return made;
}

const ID_IN_PATH: Readonly<Record<string, string>> = { agreementId: 'CAN-UKR-EXERCISE' };

/** Requests of a route: a third has the form that the route takes, the others differ from it in one to three ways. */
export function requestsOf(operation: OperationId): fc.Arbitrary<Generated> {
  const route: Route = ROUTES[operation];
  const described = document.paths[route.path as keyof typeof document.paths] as Readonly<
    Record<string, { requestBody?: { content: { 'application/json': { schema: Schema } } } }>
  >;
  const schema = described[route.method.toLowerCase()]?.requestBody?.content['application/json'].schema;
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => ID_IN_PATH[name] ?? `{{${name}}}`);
  const usual = USUAL[operation] ?? CALLERS.slice(0, 3);
  const fitting = FITTING[operation] ?? GENERATED_PHASES;
  return fc
    .record({
      body: schema === undefined ? fc.constant(undefined) : valid(schema),
      query: route.query === undefined ? fc.constant('') : GOOD_QUERY,
      caller: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...usual) },
        { weight: 1, arbitrary: fc.constantFrom(...CALLERS) },
      ),
      phase: fc.oneof(
        { weight: 2, arbitrary: fc.constantFrom(...fitting) },
        { weight: 1, arbitrary: fc.constantFrom(...GENERATED_PHASES) },
      ),
      key: fc.uuid(),
      changes: fc.oneof(
        { weight: 1, arbitrary: fc.constant([]) },
        { weight: 2, arbitrary: fc.array(CHANGES, { minLength: 1, maxLength: 3 }) },
      ),
    })
    .map(({ body, query, caller, phase, key, changes }) => {
      const headers: Headers = [
        ['accept', 'application/json'],
        ...(body === undefined ? [] : [['content-type', 'application/json'] as const]),
        ...(isMutation(route) ? [['idempotency-key', key] as const] : []),
        ...(route.ifMatch === undefined ? [] : [['if-match', '"{{proposalDigest}}"'] as const]),
      ];
      const whole = { operation, method: route.method, path: path + query, headers, caller, phase, changed: [] };
      return changed({ ...whole, body: body === undefined ? undefined : JSON.stringify(body) }, changes);
    });
}
