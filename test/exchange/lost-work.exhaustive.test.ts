import { SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../bin/local/assembly.ts';
import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import type { LeftBehind } from '../support/exchange-until-killed.ts';
import {
  HOUR,
  MINUTE,
  openScene,
  refusalOf,
  resourcesOf,
  SECOND,
  until,
  verifyWhole,
  type Scene,
} from '../support/exchange.ts';
import { examined } from '../support/examined.ts';

jest.setTimeout(180_000);

let folder: string;
let left: LeftBehind;
let scene: Scene;
let operator: SFNClient;

/** Runs an exchange in a process of its own until that kills itself. */
async function runUntilKilled(): Promise<LeftBehind> {
  const script = join('test', 'support', 'exchange-until-killed.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (told.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (told.err += chunk.toString()));
  const signal = await new Promise<string | null>((resolve) => child.on('close', (_code, by) => resolve(by)));
  if (signal !== 'SIGKILL') throw new Error(`The process was not killed: ${told.err}`);
  return JSON.parse(told.out) as LeftBehind; // what the script writes
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'valiza-exchange-'));
  left = await runUntilKilled();
  scene = await openScene({
    folder,
    dataDirectory: join(folder, 'data'),
    people: false,
    amend(_stack, template) {
      // An operator, who may do what no function of the application may.
      for (const [id, { Type, Properties }] of resourcesOf(template)) {
        if (Type !== 'AWS::IAM::Policy' || !id.startsWith('resumeworkflow')) continue;
        const document = Properties['PolicyDocument'] as { Statement: object[] }; // as every policy has one
        document.Statement.push({ Effect: 'Allow', Action: 'states:StopExecution', Resource: '*' });
      }
    },
  });
  operator = new SFNClient({
    endpoint: scene.runtime.url,
    region: scene.runtime.region,
    credentials: scene.runtime.credentialsFor(scene.roleNamed('resumeworkflowRole')),
  });
});
afterEach(() => examined('executions', 1));
afterAll(async () => {
  operator.destroy();
  await scene.close();
  await rm(folder, { recursive: true, force: true });
});

const attemptsOf = (caseId: string): string[] =>
  scene.runtime.services.states
    .executions()
    .filter(({ name }) => name.startsWith(caseId))
    .map(({ name, status }) => `${name.slice(caseId.length)} ${status}`)
    .sort();

const arnOf = (name: string): string => {
  const found = scene.runtime.services.states.executions().find((row) => row.name === name);
  if (found === undefined) throw new Error(`There is no execution ${name}.`);
  return found.arn;
};

const typesOf = async (caseId: string): Promise<string[]> => {
  const { events } = await scene.as(scene.who.desk).readEvents({ params: { caseId } });
  verifyWhole(caseId, events);
  return events.map(({ type }) => type);
};

/** How often each of these happened in a case. */
const counted = async (caseId: string, types: readonly string[]): Promise<[string, number][]> => {
  const filed = await typesOf(caseId);
  return types.map((type) => [type, filed.filter((row) => row === type).length]);
};

const onceEach = (types: readonly string[]): [string, number][] => types.map((type) => [type, 1]);
const SEALED_ONCE = ['AssuranceGiven', 'PackageSealed', 'ReleaseOpened'];
const ENDED_ONCE = [...SEALED_ONCE, 'ReleaseExpired', 'PackageDestroyed', 'CaseClosed'];

const advance = async (milliseconds: number): Promise<void> => {
  await scene.runtime.settled();
  await scene.runtime.clock.advance(milliseconds);
};

describe('after the process was killed', () => {
  test('time goes on from where it was', () => {
    expect(scene.runtime.clock.now()).toBeGreaterThanOrEqual(left.now);
    expect(scene.runtime.clock.now()).toBeGreaterThanOrEqual(Date.now() + 29 * MINUTE);
  });

  test('every case that waited stands where it stood, and its next attempt waits within a minute', async () => {
    await advance(MINUTE);
    await scene.runtime.settled();
    const waiting = {
      underReview: 'UNDER_REVIEW',
      awaitingAssurance: 'AWAITING_ASSURANCE',
      released: 'RELEASED',
    } as const;
    for (const [name, phase] of Object.entries(waiting) as [keyof typeof waiting, string][]) {
      expect([name, (await scene.read(left[name])).phase]).toEqual([name, phase]);
      expect([name, attemptsOf(left[name])]).toEqual([name, ['-1 ABORTED', '-2 RUNNING']]);
    }
  });

  test('a case under review keeps proposal and vote, and goes on to its release', async () => {
    const seen = await scene.read(left.underReview);
    expect(seen.rolesMissing).toEqual(['security-officer']);
    await scene.approve(seen, scene.who.security);
    await scene.assure(seen);
    const released = await scene.waitFor(seen.caseId, 'RELEASED');
    expect(released.registerNumber).toMatch(/-000001$/);
    expect(await counted(seen.caseId, SEALED_ONCE)).toEqual(onceEach(SEALED_ONCE));
  });

  test('a case that awaited its assurance takes it', async () => {
    const seen = await scene.read(left.awaitingAssurance);
    await scene.assure(seen);
    await scene.waitFor(seen.caseId, 'RELEASED');
    expect(await counted(seen.caseId, SEALED_ONCE)).toEqual(onceEach(SEALED_ONCE));
  });

  test('a case that was being sealed is released once, with one package and no deposit', async () => {
    await scene.waitFor(left.sealing, 'RELEASED');
    expect(await counted(left.sealing, SEALED_ONCE)).toEqual(onceEach(SEALED_ONCE));
    expect(await scene.objectsOf(left.sealing, 'packages')).toHaveLength(1);
    expect(await scene.objectsOf(left.sealing, 'deposits')).toEqual([]);
    const { caseId, copy } = await scene
      .as(scene.who.recipient)
      .grantAccess({ params: { caseId: left.sealing }, body: {} });
    expect([caseId, copy]).toEqual([left.sealing, 1]);
  });

  test('an open release counts the same opening once, and ends on time', async () => {
    const open = (idempotencyKey: string) =>
      scene.as(scene.who.recipient).grantAccess({ params: { caseId: left.released }, body: {}, idempotencyKey });
    expect([(await open('before-the-crash')).copy, (await open('after-the-crash')).copy]).toEqual([1, 2]);
    const seen = await scene.read(left.released);
    await scene.runtime.settled();
    await scene.runtime.clock.advanceTo(Date.parse(seen.dueAt ?? '') + 30 * SECOND);
    const closed = await scene.waitFor(left.released, 'CLOSED');
    expect(closed.outcome?.statement).toBe('expired');
    expect(await counted(left.released, ENDED_ONCE)).toEqual(onceEach(ENDED_ONCE));
    expect(await scene.objectsOf(left.released, 'packages')).toEqual([]);
    expect(await refusalOf(open('much-later'))).toBe('409 PHASE_FORBIDS');
  });

  test('new requests get the next register numbers', async () => {
    const numbers = [];
    for (const title of ['After the crash', 'And another'])
      numbers.push((await scene.submit({ title })).registerNumber);
    expect(numbers.map((number) => number?.slice(-6))).toEqual(['000005', '000006']);
  });
});

describe('an execution that is stopped', () => {
  const stop = (caseId: string, attempt: number) =>
    operator.send(new StopExecutionCommand({ executionArn: arnOf(`${caseId}-${attempt}`) }));

  test('is stopped by no function of the application', async () => {
    const { caseId } = await scene.reach('UNDER_REVIEW');
    for (const role of ['apiRole', 'sweepcasesRole', 'WorkflowRole']) {
      const credentials = scene.runtime.credentialsFor(scene.roleNamed(role));
      const client = new SFNClient({ endpoint: scene.runtime.url, region: scene.runtime.region, credentials });
      const stopping = client.send(new StopExecutionCommand({ executionArn: arnOf(`${caseId}-1`) }));
      await expect(stopping).rejects.toMatchObject({ name: 'AccessDeniedException' });
      client.destroy();
    }
    expect(attemptsOf(caseId)).toEqual(['-1 RUNNING']);
  });

  test.each(['PROPOSED', 'AWAITING_CLARIFICATION', 'SUSPENDED'] as const)(
    'in %s is followed by the next attempt within a minute, and the case stands where it stood',
    async (phase) => {
      const seen = await scene.reach(phase, { endsIn: HOUR });
      await scene.runtime.settled();
      const before = await scene.read(seen.caseId);
      await stop(seen.caseId, 1);
      await advance(MINUTE);
      await scene.runtime.settled();
      expect(attemptsOf(seen.caseId)).toEqual(['-1 ABORTED', '-2 RUNNING']);
      expect((await scene.read(seen.caseId)).sequence).toBe(before.sequence);
    },
  );

  test('again and again is followed again and again, and the case still ends once', async () => {
    const seen = await scene.reach('RELEASED', { endsIn: HOUR });
    for (const attempt of [1, 2, 3]) {
      await until(`attempt ${attempt} runs`, async () => {
        await scene.runtime.settled();
        return attemptsOf(seen.caseId).includes(`-${attempt} RUNNING`) ? true : undefined;
      });
      await stop(seen.caseId, attempt);
      await advance(MINUTE);
    }
    await scene.runtime.settled();
    await scene.runtime.clock.advanceTo(Date.parse(seen.dueAt ?? '') + 30 * SECOND);
    await scene.waitFor(seen.caseId, 'CLOSED');
    expect(await counted(seen.caseId, ENDED_ONCE)).toEqual(onceEach(ENDED_ONCE));
  });
});

describe('two executions of one case', () => {
  const machine = (): string => {
    const found = Object.values(scene.runtime.outputs).find((outputs) => 'StateMachineArn' in outputs);
    return found?.['StateMachineArn'] ?? '';
  };
  const start = (seen: CaseView, name: string, attempt: number) =>
    operator.send(
      new StartExecutionCommand({
        stateMachineArn: machine(),
        name: `${seen.caseId}${name}`,
        input: JSON.stringify({ caseId: seen.caseId, attempt }),
      }),
    );
  /** States that an execution entered. */
  const statesOf = (name: string): unknown[] =>
    scene.runtime.services.states
      .history(arnOf(name))
      .filter(({ type }) => type.endsWith('StateEntered'))
      .map(({ details }) => details['stateEnteredEventDetails']?.['name']);

  test('of other attempts: the one that is not the present one leaves without a word', async () => {
    const seen = await scene.reach('AWAITING_ASSURANCE');
    await scene.runtime.settled();
    for (const attempt of [2, 7]) {
      await start(seen, `-x${attempt}`, attempt);
      await scene.runtime.settled();
      expect(statesOf(`${seen.caseId}-x${attempt}`)).toEqual([
        'Assess request',
        'Where does the case stand?',
        'Superseded by a later attempt',
      ]);
    }
    expect((await scene.read(seen.caseId)).sequence).toBe(seen.sequence);
    expect(attemptsOf(seen.caseId)).toContain('-1 RUNNING');
  });

  test('of the same attempt: one seals, one opens, and there is one end', async () => {
    const seen = await scene.reach('AWAITING_ASSURANCE', { endsIn: HOUR });
    await scene.runtime.settled();
    await start(seen, '-twin', 1);
    await scene.runtime.settled();
    expect(statesOf(`${seen.caseId}-twin`).at(-1)).toBe('Await assurance');
    await scene.assure(seen);
    const released = await scene.waitFor(seen.caseId, 'RELEASED');
    expect(await counted(seen.caseId, SEALED_ONCE)).toEqual(onceEach(SEALED_ONCE));
    expect(await scene.objectsOf(seen.caseId, 'packages')).toHaveLength(1);
    await scene.runtime.settled();
    await scene.runtime.clock.advanceTo(Date.parse(released.dueAt ?? '') + 30 * SECOND);
    await scene.waitFor(seen.caseId, 'CLOSED');
    expect(await counted(seen.caseId, ENDED_ONCE)).toEqual(onceEach(ENDED_ONCE));
  });
});
