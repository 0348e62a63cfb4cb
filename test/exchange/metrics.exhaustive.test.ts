import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { LOG_METRICS, type LogMetricName } from '../../infra/log-metrics.ts';
import type { FaultPoint, Fault } from '../../local/faults.ts';
import type { LogLine } from '../../local/services/lambda/function-log.ts';
import { examined } from '../support/examined.ts';
import { DAY, HOUR, MINUTE, openScene, problemOf, resourcesOf, type Scene } from '../support/exchange.ts';
import { filterPattern, selected } from '../support/filter-pattern.ts';

jest.setTimeout(240_000);

/** A metric filter as it is deployed. */
interface Filter {
  readonly group: string;
  readonly pattern: string;
  readonly value: string;
  readonly dimensions: readonly { readonly Key: string; readonly Value: string }[];
}

const filters = new Map<string, Filter>();
/** Names of functions by the logical ids of their log groups. */
const writers = new Map<string, string>();
const lines: LogLine[] = [];
let scene: Scene;

const refOf = (value: unknown): string => (value as { Ref: string }).Ref; // as the CDK refers to a resource of the same stack

beforeAll(async () => {
  scene = await openScene({
    amend(_stack, template) {
      for (const [, { Type, Properties }] of resourcesOf(template)) {
        if (Type === 'AWS::Logs::MetricFilter') {
          const [of] = Properties['MetricTransformations'] as [Record<string, unknown>]; // there is always one
          filters.set(String(of['MetricName']), {
            group: refOf(Properties['LogGroupName']),
            pattern: String(Properties['FilterPattern']),
            value: String(of['MetricValue']),
            dimensions: (of['Dimensions'] ?? []) as Filter['dimensions'],
          });
        }
        if (Type !== 'AWS::Lambda::Function') continue;
        const { LogGroup } = Properties['LoggingConfig'] as { LogGroup: unknown };
        writers.set(refOf(LogGroup), String(Properties['FunctionName']));
        // The mail service takes no mail from somebody whom it does not know.
        const { Variables } = Properties['Environment'] as { Variables: Record<string, unknown> };
        if ('MAIL_FROM' in Variables) Variables['MAIL_FROM'] = 'registry@elsewhere.example';
      }
    },
  });
  scene.runtime.services.lambda.onLog((line) => lines.push(line));
});
afterAll(() => scene.close());
afterAll(() => examined('operations', Object.keys(LOG_METRICS).length));

const filterOf = (name: LogMetricName): Filter => {
  const found = filters.get(name);
  if (found === undefined) throw new Error(`There is no metric filter ${name}.`);
  return found;
};

/** The records of the right log that a metric is made of. */
const recordsOf = (name: LogMetricName): unknown[] => {
  const { group, pattern } = filterOf(name);
  const matches = filterPattern(pattern);
  return lines
    .filter(({ functionName }) => functionName === writers.get(group))
    .map(({ line }) => JSON.parse(line) as unknown)
    .filter(matches);
};
const seen = (): LogMetricName[] =>
  (Object.keys(LOG_METRICS) as LogMetricName[]).filter((name) => recordsOf(name).length > 0);

const wait = async (milliseconds: number): Promise<void> => {
  await scene.runtime.settled();
  await scene.runtime.clock.advance(milliseconds);
  await scene.runtime.settled();
};
const during = async (plan: (point: FaultPoint) => Fault | undefined, work: () => Promise<unknown>): Promise<void> => {
  scene.runtime.faults.plan = (point) => (point.moment === 'before' ? plan(point) : undefined);
  try {
    await work();
  } finally {
    scene.runtime.faults.plan = undefined;
  }
};

test('there is a filter for each metric, on the log of the function that writes its lines', () => {
  expect([...filters.keys()].toSorted()).toEqual(Object.keys(LOG_METRICS).toSorted());
  for (const [name, { function: of }] of Object.entries(LOG_METRICS)) {
    expect([name, writers.get(filterOf(name as LogMetricName).group)]).toEqual([name, `valiza-can-local-${of}`]);
  }
});

test('an exchange at peace counts no fault but that its mail is not taken, and says how old its open work is', async () => {
  await scene.reach('RELEASED', { endsIn: 30 * DAY });
  await wait(2 * MINUTE);
  expect(seen().toSorted()).toEqual(['MailsUndelivered', 'OpenWorkAge', 'OpenWorkLate']);
  for (const name of ['OpenWorkAge', 'OpenWorkLate'] as const) {
    const { value, dimensions } = filterOf(name);
    expect(dimensions).toEqual([{ Key: 'Phase', Value: '$.message.phase' }]);
    for (const record of recordsOf(name)) {
      expect(selected(record, value)).toEqual(expect.any(Number));
      expect(selected(record, '$.message.phase')).toMatch(/^[A-Z_]+$/);
    }
  }
});

test('work that is late is late by as much', async () => {
  const { caseId } = await scene.reach('RELEASED', { endsIn: HOUR });
  await during(
    ({ operation, caller }) =>
      operation === 'Query' && caller === scene.roleNamed('closereleaseRole') ? 'crash' : undefined,
    async () => {
      // Nothing runs between two instants to which time is moved.
      await wait(HOUR + MINUTE);
      await wait(10 * MINUTE);
      await wait(10 * MINUTE);
    },
  );
  const late = recordsOf('OpenWorkLate')
    .filter((record) => selected(record, '$.message.phase') === 'RELEASED')
    .map((record) => Number(selected(record, '$.message.lateSeconds')));
  expect(Math.max(...late)).toBeGreaterThanOrEqual(15 * 60);
  await wait(6 * HOUR);
  await scene.waitFor(caseId, 'CLOSED');
});

test('an attempt that fails again and again', async () => {
  const proposed = await scene.reach('AWAITING_ASSURANCE', { endsIn: 30 * DAY });
  await during(
    ({ service, caller }) => (service === 'kms' && caller === scene.roleNamed('SealingRole') ? 'throttle' : undefined),
    async () => {
      await scene.assure(proposed);
      for (let tries = 0; tries < 60 && recordsOf('CasesStuck').length === 0; tries += 1) await wait(5 * MINUTE);
    },
  );
  expect(seen()).toEqual(
    expect.arrayContaining(['AttemptsFailed', 'CasesStuck', 'CasesRestarted', 'KeysThrottledAtSealing']),
  );
  // One failure is not yet a case that is stuck.
  expect(recordsOf('AttemptsFailed').length).toBeGreaterThan(recordsOf('CasesStuck').length);
  await wait(DAY);
  await scene.waitFor(proposed.caseId, 'RELEASED');
});

test('a key that is refused, and one that KMS has no time for', async () => {
  const { caseId } = await scene.reach('RELEASED', { endsIn: 3 * HOUR });
  const open = () =>
    problemOf(scene.as(scene.who.recipient).grantAccess({ params: { caseId }, body: {} })).then(({ code }) => code);
  await during(
    ({ service, caller }) =>
      service === 'kms' && caller === scene.roleNamed('ReleaseAccessRole') ? 'throttle' : undefined,
    async () => expect(await open()).not.toBe('KEY_REFUSED'),
  );
  expect(seen()).toEqual(expect.arrayContaining(['AccessesFailed', 'KeysThrottledAtAccess']));
  expect(recordsOf('KeysRefused')).toEqual([]);
  const { lambda } = scene.runtime.services;
  const skew = (by: number): void => {
    for (const name of ['grant-access', 'close-release']) lambda.skew(`valiza-can-local-${name}`, by);
  };
  skew(-30 * MINUTE);
  await wait(3 * HOUR + MINUTE);
  expect(await open()).toBe('KEY_REFUSED');
  skew(0);
  expect(recordsOf('KeysRefused')).toHaveLength(1);
  await wait(HOUR);
});

test('a case that cannot be read, and one whose file is shorter than it has been', async () => {
  const sweeps = scene.roleNamed('sweepcasesRole');
  await during(
    ({ operation, caller }) => (operation === 'BatchGetItem' && caller === sweeps ? 'throttle' : undefined),
    () => wait(MINUTE),
  );
  expect(seen()).toContain('CasesUnreadable');
  // A tally that counts one more event than the file has, and no execution that would come upon it first.
  const outputs = Object.assign({}, ...Object.values(scene.runtime.outputs)) as Record<string, string>;
  const TableName = String(Object.entries(outputs).find(([name]) => /RefTally/.test(name))?.[1]);
  const client = new DynamoDBClient({
    endpoint: scene.runtime.url,
    region: scene.runtime.region,
    credentials: scene.runtime.credentialsFor(sweeps),
  });
  await during(
    ({ operation }) => (operation === 'StartExecution' ? 'crash' : undefined),
    async () => {
      const caseId = await scene.ask();
      const Key = { caseId: { S: caseId } };
      const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
      await client.send(new PutItemCommand({ TableName, Item: { ...Item, ...Key, sequence: { N: '2' } } }));
      await wait(5 * MINUTE);
    },
  );
  client.destroy();
  // What the stream could not deliver holds up what came after it, until it is tried again.
  await wait(10 * MINUTE);
  expect(seen()).toContain('CaseFilesBehind');
});

test('a request that nobody could decide, and a notice that finds no reader', async () => {
  await scene.change(scene.who.security, { active: false });
  await scene.change(scene.who.desk, { active: false });
  await scene.submit();
  await wait(MINUTE);
  expect(seen()).toEqual(expect.arrayContaining(['NobodyCanDecide', 'NobodyToTell']));
});

test('every metric has been seen', () => {
  expect(seen().toSorted()).toEqual(Object.keys(LOG_METRICS).toSorted());
});
