import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Properties } from '../../local/resource.ts';
import type { InvocationOutcome } from '../../local/ports.ts';
import { AccessDenied } from '../../local/iam/policy.ts';
import { close, create, role, serviceCaller, testHost } from '../support/edge-services.ts';
import { functionArn, Functions } from '../support/lambda-functions.ts';

const YEAR_2030 = Date.parse('2030-01-01T00:00:00Z');
const caller = role('workflow');
const failed = (errorType: string, errorMessage: unknown = expect.any(String)): unknown => ({
  ok: false,
  errorType,
  errorMessage,
});

const host = testHost();
const functions = new Functions(host);
const invoke = (arn: string, payload: unknown = {}): Promise<InvocationOutcome> =>
  functions.service.invoke(arn, payload, caller);
const payloadOf = async (arn: string, payload: unknown = {}): Promise<unknown> => {
  const outcome = await invoke(arn, payload);
  if (!outcome.ok) throw new Error(`${outcome.errorType}: ${outcome.errorMessage}`);
  return outcome.payload;
};

beforeEach(() => {
  host.deny = () => false;
  host.asked.length = 0;
  host.faults.plan = undefined;
  functions.keyFails = false;
});
afterAll(() => functions.close());

describe('creating a function', () => {
  const properties = { Handler: 'index.handler', Role: 'arn:aws:iam::111122223333:role/r', Runtime: 'nodejs24.x' };
  const make = (changes: object) =>
    create(host, functions.service.types, 'AWS::Lambda::Function', 'F', {
      Code: { LocalPath: '/tmp' },
      ...properties,
      ...changes,
    });

  it.each<[string, object, string]>([
    ['a network', { VpcConfig: {} }, 'VpcConfig'],
    ['layers', { Layers: [] }, 'Layers'],
    ['inline code', { Code: { ZipFile: 'x' } }, 'Code'],
    ['another runtime', { Runtime: 'nodejs20.x' }, 'Runtime'],
    ['a timeout over 15 minutes', { Timeout: 901 }, 'Timeout'],
    ['too little memory', { MemorySize: 64 }, 'MemorySize'],
    ['reserved variables', { Environment: { Variables: { AWS_REGION: 'x' } } }, 'reserved keys'],
    ['more than 4 KB of variables', { Environment: { Variables: { A: 'x'.repeat(4096) } } }, '4KB'],
    ['a role that does not trust Lambda', { Role: 'arn:aws:iam::111122223333:role/untrusting' }, 'does not trust'],
  ])('refuses %s', async (_, changes, message) => {
    await expect(make(changes)).rejects.toThrow(message);
  });

  it('asks whether the role trusts Lambda', async () => {
    await make({ FunctionName: 'trusted' });
    expect(functions.assumed).toContain('arn:aws:iam::111122223333:role/r lambda.amazonaws.com trusted');
  });
});

describe('who may invoke', () => {
  let arn: string;
  beforeAll(async () => {
    arn = await functions.add('echo', 'exports.handler = async (event, context) => ({ event, context });');
  });

  it('refuses what the policies do not allow, and unknown functions', async () => {
    host.deny = () => true;
    await expect(invoke(arn)).rejects.toThrow(AccessDenied);
    expect(host.asked).toMatchObject([{ caller, action: 'lambda:InvokeFunction', resource: arn }]);
    for (const unknown of [functionArn('other'), `${arn}:7`, arn.replace('ca-central-1', 'us-east-1')])
      await expect(invoke(unknown)).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });

  it('gives a service only the permissions of exactly what it invokes', async () => {
    const rule = serviceCaller('events.amazonaws.com', 'arn:aws:events:ca-central-1:111122223333:rule/r');
    const permit = (logicalId: string, FunctionName: string): unknown =>
      create(host, functions.service.types, 'AWS::Lambda::Permission', logicalId, {
        Action: 'lambda:InvokeFunction',
        FunctionName,
        Principal: 'events.amazonaws.com',
        SourceArn: rule.sourceArn,
        SourceAccount: '111122223333',
      });
    const version = await create(host, functions.service.types, 'AWS::Lambda::Version', 'V', { FunctionName: 'echo' });
    const alias = await create(host, functions.service.types, 'AWS::Lambda::Alias', 'Live', {
      FunctionName: arn,
      FunctionVersion: '1',
      Name: 'live',
    });
    expect([version, alias]).toMatchObject([{ ref: `${arn}:1`, attributes: { Version: '1' } }, { ref: `${arn}:live` }]);
    await permit('OnPlain', 'echo');
    await permit('OnAlias', alias.ref);

    await functions.service.invoke(arn, {}, rule);
    await functions.service.invoke(alias.ref, {}, rule);
    await functions.service.invoke(version.ref, {}, rule);
    const statement = (Sid: string, Resource: string): object => ({
      Sid,
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'lambda:InvokeFunction',
      Resource,
      Condition: {
        ArnLike: { 'AWS:SourceArn': rule.sourceArn },
        StringEquals: { 'AWS:SourceAccount': '111122223333' },
      },
    });
    expect(host.asked).toMatchObject([
      {
        mode: 'required',
        context: { 'aws:SourceArn': rule.sourceArn },
        resource: arn,
        resourcePolicy: { Statement: [statement('OnPlain', arn)] },
      },
      { resource: alias.ref, resourcePolicy: { Statement: [statement('OnAlias', alias.ref)] } },
      { resource: version.ref, resourcePolicy: { Statement: [] } },
    ]);
    expect(await payloadOf(alias.ref)).toMatchObject({
      context: { functionVersion: '1', invokedFunctionArn: alias.ref },
    });
  });

  it('refuses a permission for everybody and an alias that splits traffic', async () => {
    const { types } = functions.service;
    const everybody = { Action: 'lambda:InvokeFunction', FunctionName: 'echo', Principal: '*' };
    await expect(create(host, types, 'AWS::Lambda::Permission', 'All', everybody)).rejects.toThrow('Principal *');
    const split = { FunctionName: 'echo', FunctionVersion: '1', Name: 'a', RoutingConfig: {} };
    await expect(create(host, types, 'AWS::Lambda::Alias', 'A', split)).rejects.toThrow('RoutingConfig');
    await expect(
      create(host, types, 'AWS::Lambda::Alias', 'A', { FunctionName: 'echo', FunctionVersion: '9', Name: 'a' }),
    ).rejects.toThrow('Function not found');
  });

  it('lets faults throttle a call, or lose its answer', async () => {
    host.faults.plan = (point) => (point.operation === 'Invoke' && point.moment === 'before' ? 'throttle' : undefined);
    await expect(invoke(arn)).rejects.toMatchObject({ code: 'TooManyRequestsException' });
    host.faults.plan = (point) => (point.caller === 'workflow' && point.moment === 'after' ? 'fail' : undefined);
    await expect(invoke(arn)).rejects.toMatchObject({ code: 'ServiceException' });
  });

  it('refuses an event over 6 MB, and counts what ran', async () => {
    host.meter.reset();
    await expect(invoke(arn, 'x'.repeat(6_291_456))).rejects.toMatchObject({
      code: 'RequestTooLargeException',
      status: 413,
    });
    await invoke(arn);
    const { 'lambda invocations': invocations = {}, 'lambda milliseconds': spent = {} } = host.meter.read();
    expect(Object.values(invocations)).toEqual([1]);
    expect(Object.keys(spent)).toEqual(Object.keys(invocations));
  });
});

describe('what a function answers', () => {
  it.each<[string, string, string, unknown]>([
    [
      'a thrown error',
      'async () => { class Conflict extends Error { name = "Conflict" } throw new Conflict("late"); }',
      'Conflict',
      'late',
    ],
    ['a thrown text', 'async () => { throw "text"; }', 'string', 'text'],
    [
      'an exit',
      'async () => process.exit(3)',
      'Runtime.ExitError',
      expect.stringMatching(/^RequestId: .* Error: Runtime exited with error: exit status 3$/),
    ],
    [
      'an exit without a reason',
      'async () => process.exit(0)',
      'Runtime.ExitError',
      expect.stringContaining('without providing a reason'),
    ],
    [
      'an uncaught error',
      '() => new Promise(() => setImmediate(() => { throw new Error("late") }))',
      'Runtime.ExitError',
      expect.stringContaining('129'),
    ],
    [
      'an unhandled rejection',
      '() => new Promise(() => void Promise.reject(new Error("lost")))',
      'Runtime.ExitError',
      expect.stringContaining('128'),
    ],
    ['an answer that is no JSON', 'async () => 1n', 'Runtime.JSONStringifyError', expect.any(String)],
    ['an answer over 6 MB', 'async () => "x".repeat(6_300_000)', 'Function.ResponseSizeTooLarge', expect.any(String)],
    [
      'a callback handler',
      '(event, context, callback) => callback()',
      'Runtime.CallbackHandlerDeprecated',
      expect.any(String),
    ],
  ])('reports %s', async (name, handler, type, message) => {
    const arn = await functions.add(name.replaceAll(' ', '-'), `exports.handler = ${handler};`);
    expect(await invoke(arn)).toEqual(failed(type, message));
  });

  it.each<[string, string, Properties, string]>([
    ['no such export', 'exports.other = 1;', {}, 'Runtime.HandlerNotFound'],
    ['no such file', '', { Handler: 'main.handler' }, 'Runtime.ImportModuleError'],
    ['a module that is not bundled', 'require("@aws-sdk/client-kms");', {}, 'Runtime.ImportModuleError'],
    ['a syntax error', 'exports.handler = {', {}, 'Runtime.UserCodeSyntaxError'],
    ['an error while loading', 'throw new TypeError("no");', {}, 'TypeError'],
  ])('reports %s', async (name, source, properties, type) => {
    const arn = await functions.add(name.replaceAll(' ', '-'), source, properties);
    expect(await invoke(arn)).toEqual(failed(type));
    expect(await invoke(arn)).toEqual(failed(type));
  });

  it('stops a function at its timeout, and starts anew', async () => {
    const arn = await functions.add(
      'slow',
      `let calls = 0; exports.handler = async ({ spin }) => { calls += 1; if (spin) for (;;); return calls; };`,
      { Timeout: 1 },
    );
    expect(await payloadOf(arn)).toBe(1);
    expect(await payloadOf(arn)).toBe(2);
    expect(await invoke(arn, { spin: true })).toEqual(
      failed('Sandbox.Timedout', expect.stringMatching(/^RequestId: \S+ Error: Task timed out after 1.00 seconds$/)),
    );
    expect(await payloadOf(arn)).toBe(1);
  });

  it('ends a function that takes more memory than it has', async () => {
    const arn = await functions.add(
      'greedy',
      'exports.handler = async () => { const kept = []; for (;;) kept.push(new Array(100_000).fill(kept.length)); };',
      { Timeout: 60 },
    );
    expect(await invoke(arn)).toEqual(failed('Runtime.OutOfMemory'));
  }, 60_000);
});

describe('an instance', () => {
  it('has its own environment and nothing of the parent', async () => {
    process.env['PARENT_SECRET'] = 'x';
    const arn = await functions.add('environment', 'exports.handler = async () => process.env;', {
      MemorySize: 256,
      Environment: { Variables: { TABLE: 'cases' } },
    });
    const environment = await payloadOf(arn);
    delete process.env['PARENT_SECRET'];
    expect(environment).toMatchObject({
      AWS_REGION: 'ca-central-1',
      AWS_LAMBDA_FUNCTION_NAME: 'environment',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^KEY/),
      TABLE: 'cases',
    });
    expect(environment).not.toHaveProperty('PARENT_SECRET');
    expect(environment).not.toHaveProperty('PATH');
    expect(environment).not.toHaveProperty('HOME');
  });

  it('is told about the invocation', async () => {
    const arn = await functions.add(
      'context',
      'exports.handler = async (event, context) => ({ ...context, left: context.getRemainingTimeInMillis() });',
      { Timeout: 7 },
    );
    const context = (await payloadOf(arn)) as Record<string, unknown>;
    expect(context).toMatchObject({
      functionName: 'context',
      functionVersion: '$LATEST',
      invokedFunctionArn: arn,
      memoryLimitInMB: '128',
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(context['left']).toBeGreaterThan(0);
    expect(context['left']).toBeLessThanOrEqual(7000);
  });

  it('serves one invocation at a time, has its own credentials, and is used again', async () => {
    const arn = await functions.add(
      'counter',
      `let running = 0; exports.handler = async ({ wait }) => {
         running += 1;
         await new Promise((resolve) => setTimeout(resolve, wait));
         return { together: running--, key: process.env.AWS_ACCESS_KEY_ID };
       };`,
    );
    const answers = (await Promise.all([1, 2, 3].map(() => payloadOf(arn, { wait: 100 })))) as {
      together: number;
      key: string;
    }[];
    expect(answers.map(({ together }) => together)).toEqual([1, 1, 1]);
    const keys = new Set(answers.map(({ key }) => key));
    expect(keys.size).toBe(3);
    const again = (await payloadOf(arn, { wait: 0 })) as { key: string };
    expect(keys).toContain(again.key);
  });

  it('is throttled beyond the reserved concurrency', async () => {
    const arn = await functions.add(
      'reserved',
      'exports.handler = async ({ wait }) => new Promise((resolve) => setTimeout(resolve, wait));',
      { ReservedConcurrentExecutions: 1 },
    );
    const first = invoke(arn, { wait: 200 });
    await expect(invoke(arn, { wait: 0 })).rejects.toMatchObject({ code: 'TooManyRequestsException', status: 429 });
    expect(await first).toEqual({ ok: true, payload: null });
    expect(await invoke(arn, { wait: 0 })).toEqual({ ok: true, payload: null });
  });

  it('waits for a worker when no concurrency is reserved', async () => {
    const arn = await functions.add(
      'busy',
      'exports.handler = async (n) => new Promise((resolve) => setTimeout(resolve, 20, n));',
    );
    const numbers = Array.from({ length: 25 }, (_, index) => index);
    expect(await Promise.all(numbers.map((number) => payloadOf(arn, number)))).toEqual(numbers);
  });

  it('follows the virtual clock, apart from its own skew, while timers stay real', async () => {
    const arn = await functions.add(
      'clock',
      `exports.handler = async () => {
         await new Promise((resolve) => setTimeout(resolve, 5));
         return { now: Date.now(), iso: new Date().toISOString(), text: Date(), fixed: new Date(0).getTime(), format: new Intl.DateTimeFormat('en', { year: 'numeric', timeZone: 'UTC' }).format(), own: new Date() instanceof Date };
       };`,
    );
    const now = async (): Promise<number> => ((await payloadOf(arn)) as { now: number }).now;
    expect(Math.abs((await now()) - host.clock.now())).toBeLessThan(5000);
    await host.clock.advanceTo(YEAR_2030);
    const answer = (await payloadOf(arn)) as Record<string, unknown>;
    expect(answer).toMatchObject({
      iso: expect.stringMatching(/^2030-01-01/),
      text: expect.stringContaining('20'),
      fixed: 0,
      format: '2030',
      own: true,
    });
    functions.service.skew('clock', -3_600_000);
    expect(host.clock.now() - (await now())).toBeGreaterThan(3_590_000);
  });

  it('may not leave this machine', async () => {
    const server = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    // Listening on a port, so the address is not a pipe's name.
    const { port } = server.address() as AddressInfo;
    const arn = await functions.add(
      'egress',
      `const { connect } = require('node:net');
       const attempt = async (work) => { try { return await work(); } catch (error) { return (error.cause ?? error).message; } };
       const socket = (...parts) => new Promise((resolve, reject) => connect(...parts).on('connect', () => resolve('connected')).on('error', reject));
       exports.handler = async ({ port }) => ({
         here: await attempt(async () => (await fetch('http://127.0.0.1:' + port)).text()),
         byName: await attempt(() => socket(port, 'localhost')),
         fetched: await attempt(() => fetch('https://example.org/')),
         address: await attempt(() => socket({ host: '192.0.2.1', port: 80 })),
         positional: await attempt(() => socket(80, '198.51.100.7')),
         pipe: await attempt(() => socket('/var/run/docker.sock')),
         name: await attempt(() => require('node:dns').promises.lookup('example.net')),
         record: await attempt(() => require('node:dns').promises.resolveTxt('example.net')),
         datagram: await attempt(() => require('node:dgram').createSocket('udp4')),
         process: await attempt(() => require('node:child_process').execSync('true')),
         thread: await attempt(() => new (require('node:worker_threads').Worker)('1', { eval: true })),
       });`,
      { Timeout: 20 },
    );
    const refused = (what: string): string => `The local runtime refuses connections that leave this machine: ${what}`;
    expect(await payloadOf(arn, { port })).toEqual({
      here: 'here',
      byName: expect.stringMatching(/connected|ECONNREFUSED/),
      fetched: refused('example.org'),
      address: refused('192.0.2.1'),
      positional: refused('198.51.100.7'),
      pipe: refused('/var/run/docker.sock'),
      name: refused('example.net'),
      record: refused('example.net'),
      datagram: refused('a datagram socket'),
      process: refused('a child process (execSync)'),
      thread: refused('a thread of its own'),
    });
    await close(server);
  });

  it('reaches the API under its name, and nothing else that begins or ends so', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.headers.host} ${request.url}`);
      response.end('the api');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    // Listening on a port, so the address is not a pipe's name.
    host.port = (server.address() as AddressInfo).port;
    const name = 'abcdefghij.execute-api.ca-central-1.amazonaws.com';
    functions.apiName = name;
    const arn = await functions.add(
      'caller',
      `const https = require('node:https');
       const attempt = async (work) => { try { return await work(); } catch (error) { return (error.cause ?? error).message; } };
       const ask = (url) => new Promise((resolve, reject) =>
         https.request(url, { method: 'POST' }, (answer) => answer.on('data', (text) => resolve(String(text)))).on('error', reject).end('body'));
       exports.handler = async ({ name }) => ({
         fetched: await attempt(async () => (await fetch('https://' + name + '/live/a?b=c')).text()),
         requested: await attempt(() => ask('https://' + name + '/live/d')),
         others: await Promise.all(
           ['http://' + name + '/', 'https://' + name + ':8443/', 'https://' + name + './', 'https://x' + name + '/', 'https://' + name + '.example/']
             .map((url) => attempt(async () => (await fetch(url)).text()))),
         socket: await attempt(() => new Promise((resolve, reject) =>
           require('node:net').connect(443, name).on('connect', () => resolve('connected')).on('error', reject))),
         looked: await attempt(() => require('node:dns').promises.lookup(name)),
       });`,
      { Timeout: 20 },
    );
    const refused = (what: string): string => `The local runtime refuses connections that leave this machine: ${what}`;
    expect(await payloadOf(arn, { name })).toEqual({
      fetched: 'the api',
      requested: 'the api',
      others: [name, name, `${name}.`, `x${name}`, `${name}.example`].map(refused),
      socket: refused(name),
      looked: refused(name),
    });
    expect(seen).toEqual([`GET ${name} /live/a?b=c`, `POST ${name} /live/d`]);
    await close(server);
  });

  it('writes to the log and never to the screen', async () => {
    const heard: string[] = [];
    const end = functions.service.onLog((line) => heard.push(`${line.level} ${line.message}`));
    const source = `exports.handler = async () => {
      console.debug('quiet'); console.info({ a: 1 }); console.error('loud %s', 'text'); process.stdout.write('past the console\\n');
    };`;
    await payloadOf(await functions.add('text-log', source));
    await payloadOf(
      await functions.add('json-log', source, { LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'WARN' } }),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    end();
    const lines = (name: string): string[] =>
      functions.service.logs().flatMap((line) => (line.functionName === name ? [`${line.level} ${line.message}`] : []));
    expect(lines('text-log').sort()).toEqual(
      ['DEBUG quiet', 'ERROR loud text', 'INFO past the console', 'INFO { a: 1 }'].sort(),
    );
    expect(lines('json-log').sort()).toEqual(['ERROR loud text', 'INFO past the console']);
    expect(heard).toHaveLength(6);
    expect(functions.service.logs().find((line) => line.functionName === 'text-log')?.requestId).toMatch(
      /^[0-9a-f-]{36}$/,
    );
  });

  it('keeps the members of an object that is logged as JSON, and of a text nothing but the text', async () => {
    const source = `exports.handler = async () => {
      const circle = { a: 1 }; circle.itself = circle;
      console.info({ code: 'DONE', count: 2 }); console.info(JSON.stringify({ code: 'TEXT' })); console.warn('a', { b: 1 });
      console.error({ failed: new TypeError('why') }); console.info(circle);
      throw new RangeError('what escapes is logged');
    };`;
    const arn = await functions.add('members-log', source, { LoggingConfig: { LogFormat: 'JSON' } });
    expect(await invoke(arn, {})).toMatchObject({ ok: false, errorType: 'RangeError' });
    const records = functions.service
      .logs()
      .flatMap(({ functionName, line }) => (functionName === 'members-log' ? [JSON.parse(line)] : []));
    const common = {
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    };
    expect(records).toEqual([
      { ...common, level: 'INFO', message: { code: 'DONE', count: 2 } },
      { ...common, level: 'INFO', message: '{"code":"TEXT"}' },
      { ...common, level: 'WARN', message: 'a { b: 1 }' },
      {
        ...common,
        level: 'ERROR',
        message: { failed: expect.objectContaining({ errorType: 'TypeError', errorMessage: 'why' }) },
      },
      { ...common, level: 'INFO', message: expect.stringContaining('[Circular *1]') },
      { ...common, level: 'ERROR', message: expect.stringContaining('RangeError: what escapes is logged') },
    ]);
  });

  it.each(['logs:CreateLogStream', 'logs:PutLogEvents'])('loses its lines when its role may not %s', async (action) => {
    const name = action.replace(':', '-');
    const arn = await functions.add(name, `exports.handler = async () => console.info('said');`);
    const said = (): number => functions.service.logs().filter(({ functionName }) => functionName === name).length;
    host.deny = (request) => request.action === action && request.resource.includes(name);
    await payloadOf(arn);
    expect(said()).toBe(0);
    host.deny = () => false;
    await payloadOf(arn);
    expect(said()).toBe(1);
    expect(host.asked.filter((request) => request.resource.includes(name))).toContainEqual(
      expect.objectContaining({
        action,
        resource: expect.stringMatching(/:log-group:\/aws\/lambda\/logs-\w+:log-stream:.+/),
      }),
    );
  });

  it('can be crashed by its credentials or its role', async () => {
    const arn = await functions.add(
      'victim',
      'exports.handler = async ({ hang }) => (hang ? new Promise(() => setInterval(() => {}, 1000)) : process.env.AWS_ACCESS_KEY_ID);',
      { Timeout: 30 },
    );
    const key = String(await payloadOf(arn));
    expect(functions.service.crashCaller('KEY-of-nobody')).toBe(false);
    const hanging = invoke(arn, { hang: true });
    expect(functions.service.crashCaller(key)).toBe(true);
    expect(await hanging).toEqual(failed('Runtime.ExitError', expect.stringContaining('signal: killed')));
    const next = String(await payloadOf(arn));
    expect(next).not.toBe(key);
    functions.service.crash('victim-role');
    expect(await payloadOf(arn)).not.toBe(next);
  });

  it('needs the key of its environment, as its role, through Lambda', async () => {
    const arn = await functions.add('sealed', 'exports.handler = async () => process.env.A;', {
      KmsKeyArn: 'key-7',
      Environment: { Variables: { A: 'a' } },
    });
    functions.keyFails = true;
    await expect(invoke(arn)).rejects.toMatchObject({ code: 'KMSAccessDeniedException' });
    functions.keyFails = false;
    expect(await payloadOf(arn)).toBe('a');
    expect(functions.keyUses.at(-1)).toMatchObject({
      caller: { roleName: 'sealed-role' },
      keyId: 'key-7',
      actions: ['kms:Decrypt'],
      viaService: 'lambda',
      encryptionContext: { 'aws:lambda:FunctionArn': arn },
    });
  });
});

it('starts nothing once it has been stopped: nobody would end it', async () => {
  const other = new Functions(testHost());
  const arn = await other.add('late', 'exports.handler = async () => 1;');
  await other.close();
  await expect(other.service.invoke(arn, {}, caller)).rejects.toMatchObject({ name: 'ServiceException' });
});
