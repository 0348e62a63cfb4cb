import type { Server } from 'node:http';
import { buildSync } from 'esbuild';
import { EventsService } from '../../local/services/events/events-service.ts';
import { close, role, serve, testHost } from '../support/edge-services.ts';
import { Functions } from '../support/lambda-functions.ts';

/** A bundle as the application's are: CommonJS, the SDK inside. */
const HANDLER = `
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
const client = new EventBridgeClient({});
export const handler = async ({ Source }) => {
  const entry = { Source, DetailType: 'Done', Detail: JSON.stringify({ at: new Date().toISOString() }) };
  return (await client.send(new PutEventsCommand({ Entries: [entry] }))).FailedEntryCount;
};`;

describe('an unmodified SDK client inside a function', () => {
  const host = testHost({ now: Date.parse('2031-05-05T00:00:00Z') });
  const functions = new Functions(host);
  const events = new EventsService(host, {
    functions: functions.service,
    queue: { deliver: () => undefined },
    keys: { assertUsable: () => undefined },
  });
  let server: Server;
  let arn: string;

  beforeAll(async () => {
    server = await serve(host, events);
    const { outputFiles } = buildSync({
      stdin: { contents: HANDLER, resolveDir: process.cwd() },
      bundle: true,
      write: false,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      mainFields: ['module', 'main'],
    });
    arn = await functions.add('publisher', outputFiles[0]?.text ?? '', { Timeout: 20, MemorySize: 256 });
  });
  afterAll(async () => {
    await functions.close();
    await close(server);
  });

  const run = (payload: unknown) => functions.service.invoke(arn, payload, role('workflow'));

  it('reaches the runtime with the credentials of its instance, at virtual time', async () => {
    expect(await run({ Source: 'app' })).toEqual({ ok: true, payload: 0 });
    expect(host.asked.at(-1)).toMatchObject({ caller: { accessKeyId: 'KEY1' }, action: 'events:PutEvents' });
    expect(events.recorded()).toMatchObject([{ source: 'app', detail: { at: expect.stringMatching(/^2031-05-05/) } }]);
  });

  it('can be crashed between its call and the answer', async () => {
    host.authorize = (request) => {
      if (request.caller.kind === 'role') functions.service.crashCaller(request.caller.accessKeyId);
    };
    expect(await run({ Source: 'app' })).toMatchObject({ ok: false, errorType: 'Runtime.ExitError' });
  });
});
