import { buildSync } from 'esbuild';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FUNCTIONS, type FunctionSpec } from '../../infra/functions.ts';
import { role, testHost } from '../support/edge-services.ts';
import { Functions } from '../support/lambda-functions.ts';

const ROOT = join(__dirname, '..', '..');

/** Content as it might stand in an error, and what a search for it finds however it is cut. */
const CONTENT = 'Thunder over Lviv: ПОДРОБИЦІ of lot 7';
const FOUND = /Thunder|Lviv|ПОДРОБИЦІ|lot 7/;

/** A function as the house makes them, which logs and throws what it is told to. */
const PROBE = `
  import * as z from 'zod';
  import { entryPoint, Unauthorized } from './lambdas/platform/entry-point.ts';
  import { errorName, errorPlace, log } from './lambdas/platform/log.ts';
  const CONTENT = ${JSON.stringify(CONTENT)};
  const deep = (levels) => (levels === 0 ? { [CONTENT]: CONTENT } : { inner: deep(levels - 1) });
  const named = (name, error = new Error(CONTENT)) => Object.defineProperty(error, 'name', { value: name });
  const THROWN = {
    message: () => new Error(CONTENT),
    cause: () => new Error('outer', { cause: new TypeError(CONTENT) }),
    stack: () => Object.assign(new Error('x'), { stack: CONTENT + '\\n    at ' + CONTENT + ' (/var/task/index.js:1:2)' }),
    members: () => Object.assign(new Error('x'), { Item: { title: { S: CONTENT } }, $response: { body: CONTENT } }),
    nested: () => Object.assign(new Error('x'), { details: deep(200) }),
    circular: () => { const error = new Error(CONTENT); error.itself = error; return error; },
    oversized: () => new Error(CONTENT.repeat(20_000)),
    several: () => new AggregateError([new Error(CONTENT), deep(2)], CONTENT),
    'name that is content': () => named(CONTENT),
    'name of one word': () => named('Thunder'),
    'name that is an object': () => named(deep(1)),
    'name with a line break': () => named('TypeError\\n' + CONTENT),
    text: () => CONTENT,
    object: () => deep(1),
    nothing: () => undefined,
    'a parser': () => { try { JSON.parse(CONTENT); } catch (error) { return error; } },
    'a schema': () => { try { z.strictObject({ a: z.literal('b') }).parse({ [CONTENT]: CONTENT }); } catch (error) { return error; } },
    'a getter': () => Object.defineProperty(new Error('x'), 'stack', { get: () => CONTENT }),
  };
  export const handler = entryPoint(async ({ how, fields, code }) => {
    if (fields !== undefined) return log('info', code ?? 'API_PROBLEM', fields);
    if (how === 'unauthorized') throw Object.assign(new Unauthorized(CONTENT), { cause: CONTENT });
    const error = THROWN[how]();
    log('warn', 'SWEEP_FAILED', { errorName: errorName(error), at: errorPlace(error) });
    throw error;
  });
  export const names = Object.keys(THROWN);
`;

const bundled = buildSync({
  stdin: { contents: PROBE, resolveDir: ROOT, loader: 'ts' },
  bundle: true,
  write: false,
  platform: 'node',
  format: 'cjs',
  keepNames: true,
  logLevel: 'error',
});
const HOWS = [...PROBE.matchAll(/^ {4}(?:'([^']+)'|(\w+)): \(\) =>/gm)].map(([, quoted, bare]) =>
  String(quoted ?? bare),
);

const functions = new Functions(testHost());
let arn = '';
beforeAll(async () => {
  arn = await functions.add('probe', bundled.outputFiles[0]?.text ?? '', { LoggingConfig: { LogFormat: 'JSON' } });
});
afterAll(() => functions.close());

interface LogRecord {
  readonly level: string;
  readonly message: string | Readonly<Record<string, unknown>>;
}

/** Runs the probe; what it logged meanwhile, and what the service was told. */
async function run(event: object): Promise<{ records: LogRecord[]; text: string; outcome: object }> {
  const before = functions.service.logs().length;
  const outcome = await functions.service.invoke(arn, event, role('workflow'));
  const lines = functions.service
    .logs()
    .slice(before)
    .map(({ line }) => line);
  return { records: lines.map((line) => JSON.parse(line)), text: lines.join('\n'), outcome };
}

const EVENT = { caseId: '0123456789abcdef0123456789abcdef', attempt: 3 };

describe('row 77: an exception that holds content', () => {
  it('is thrown in every way that is written above', () => expect(HOWS.length).toBeGreaterThan(15));

  it.each(HOWS)('(%s) reaches the log and the caller by its name alone', async (how) => {
    const { records, text, outcome } = await run({ ...EVENT, how });
    expect(text).not.toMatch(FOUND);
    expect(JSON.stringify(outcome)).not.toMatch(FOUND);
    const name = expect.stringMatching(/^(UnknownError|Error|AggregateError|SyntaxError|ZodError)$/);
    expect(outcome).toEqual({ ok: false, errorType: name, errorMessage: name });
    expect(records.slice(0, 2).map(({ level, message }) => [level, message])).toEqual([
      ['WARN', expect.objectContaining({ code: 'SWEEP_FAILED', ...EVENT, errorName: name })],
      ['ERROR', expect.objectContaining({ code: 'FUNCTION_FAILED', ...EVENT, errorName: name })],
    ]);
  });

  it('would be logged whole by a function without this door', async () => {
    const source = `exports.handler = async () => { throw new Error(${JSON.stringify(CONTENT)}); };`;
    const bare = await functions.add('bare', source, { LoggingConfig: { LogFormat: 'JSON' } });
    await functions.service.invoke(bare, EVENT, role('workflow'));
    expect(functions.service.logs().at(-1)?.line).toMatch(FOUND);
  });

  it('says where it was made', async () => {
    const { records } = await run({ ...EVENT, how: 'message' });
    expect(records[1]?.message).toMatchObject({ at: expect.stringMatching(/^index\.js:\d+:\d+$/) });
  });

  it('is an answer to API Gateway when the credential was not accepted, and nothing else', async () => {
    const { records, text, outcome } = await run({ how: 'unauthorized' });
    expect(outcome).toEqual({ ok: false, errorType: 'Unauthorized', errorMessage: 'Unauthorized' });
    expect(text).not.toMatch(FOUND);
    // The service's own line.
    expect(records).toHaveLength(1);
  });
});

describe('a line of the log', () => {
  const ID = 'f'.repeat(32);
  const UUID = '01234567-89ab-cdef-0123-456789abcdef';
  const FIT = {
    caseId: ID,
    attempt: 2,
    sequence: 7,
    traceId: UUID,
    eventId: ID,
    step: 'Seal package',
    status: 500,
    errorName: 'KMSInvalidStateException',
    reason: 'KEY_REFUSED',
    at: 'index.js:1:2345',
    count: 0,
  };

  it('is an object in which filters see code and fields', async () => {
    const { records } = await run({ fields: FIT });
    expect(records.map(({ level, message }) => [level, message])).toEqual([['INFO', { code: 'API_PROBLEM', ...FIT }]]);
  });

  it.each([
    ['caseId', CONTENT],
    ['caseId', `${ID} Thunder`],
    ['caseId', { Thunder: 'Lviv' }],
    ['attempt', 'Thunder'],
    ['attempt', 1.5],
    ['sequence', -1],
    ['traceId', CONTENT],
    ['traceId', `${UUID}\nThunder`],
    ['eventId', 'Lviv'],
    ['step', 'Thunder over Lviv'],
    ['step', 'Tender documents'],
    ['status', 42],
    ['status', ['Thunder']],
    ['errorName', CONTENT],
    ['errorName', 'Thunder'],
    ['errorName', 'ThunderOverLviv Error'],
    ['errorName', 'Error: Lviv'],
    ['reason', 'Thunder over Lviv'],
    ['reason', 'tender'],
    ['reason', 'PROTECTED B'],
    ['at', 'Lviv.js:1:2'],
    ['count', 'lot 7'],
    ['count', 2 ** 60],
  ])('keeps back %s when it is %j, and says so', async (field, value) => {
    const { records, text } = await run({ fields: { ...FIT, [field]: value } });
    const { [field as keyof typeof FIT]: _, ...rest } = FIT;
    expect(records.map(({ message }) => message)).toEqual([{ code: 'API_PROBLEM', ...rest, withheld: [field] }]);
    expect(text).not.toMatch(FOUND);
  });

  it.each(['title', 'purpose', 'route', 'path', 'message', 'stack', 'Thunder', '__proto__', 'code', 'withheld'])(
    'has no member %s',
    async (member) => {
      const { records, text } = await run({ fields: { ...EVENT, ...JSON.parse(`{"${member}":"Thunder"}`) } });
      expect(records.map(({ message }) => message)).toEqual([{ code: 'API_PROBLEM', ...EVENT }]);
      expect(text).not.toMatch(FOUND);
    },
  );

  it('has no code of its own making', async () => {
    const { records } = await run({ fields: {}, code: CONTENT });
    expect(records.map(({ message }) => message)).toEqual([{ code: 'UNNAMED' }]);
  });

  it.each([
    ['a step', EVENT, EVENT],
    [
      'a request',
      { requestContext: { requestId: UUID }, pathParameters: { caseId: ID } },
      { traceId: UUID, caseId: ID },
    ],
    ['an event of the bus', { id: UUID, detail: { title: CONTENT } }, { traceId: UUID }],
    ['content in the place of ids', { id: CONTENT, caseId: CONTENT }, { withheld: ['caseId', 'traceId'] }],
    ['objects in the place of ids', { id: { a: 1 }, caseId: 7, attempt: 'x' }, {}],
  ])('says what it is about: %s', async (_, event, about) => {
    const { records } = await run({ ...event, fields: {} });
    expect(records.map(({ message }) => message)).toEqual([{ code: 'API_PROBLEM', ...about }]);
  });
});

it.each(Object.entries<FunctionSpec>(FUNCTIONS))('%s is entered through the house’s door', (_, { entry }) => {
  const source = readFileSync(join(ROOT, entry), 'utf8');
  expect(source.match(/^export const handler = (entryPoint|answering)\(/gm)).toHaveLength(1);
  expect(source.match(/^export /gm)).toHaveLength(1);
});
