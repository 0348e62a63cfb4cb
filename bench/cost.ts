import { assemblyFor } from '../bin/local/assembly.ts';
import { readAssembly } from '../local/assembly.ts';
import { MINUTE, openScene, type Scene } from '../test/support/exchange.ts';
import { dollars, perCase, times, usageOf, type Usage } from './bill.ts';
import { round, type Figure, type Subject } from './figures.ts';
import { live } from './life.ts';
import { ASSUMED, PRICES } from './prices.ts';

const ENVIRONMENT = 'can-local';
const LIVES = 5;

/** Between two acts: longer than the sweep waits before it looks whether all that follows from an act has happened. */
const PAUSE = 3 * MINUTE;

const MINUTES_OF_A_MONTH = 30 * 24 * 60;

/** What the exchange uses while something happens, and how many minutes of its own time pass. */
async function used(
  scene: Scene,
  work: () => Promise<void>,
): Promise<{ readonly usage: Usage; readonly minutes: number }> {
  const { runtime } = scene;
  await runtime.settled();
  let written = 0;
  const end = runtime.services.lambda.onLog(({ line }) => {
    written += Buffer.byteLength(line) + ASSUMED.logRecordBytes;
  });
  runtime.meter.reset();
  await work();
  await runtime.settled();
  end();
  const counts = runtime.meter.read();
  const minutes = counts['lambda invocations']?.[`valiza-${ENVIRONMENT}-sweep-cases`] ?? 0;
  return { usage: usageOf(counts, ENVIRONMENT, written), minutes };
}

async function metered(): Promise<{ readonly life: Usage; readonly sweep: Usage }> {
  const scene = await openScene({ environment: ENVIRONMENT });
  try {
    const pass = async (milliseconds: number): Promise<void> => {
      await scene.runtime.settled();
      await scene.runtime.clock.advance(milliseconds);
      await scene.runtime.settled();
    };
    // Functions have started: a start decrypts the environment once and is not a case's.
    await live(scene, () => pass(PAUSE));
    const idle = await used(scene, () => pass(20 * MINUTE));
    const sweep = times(idle.usage, 1 / idle.minutes);
    const lives = await used(scene, async () => {
      for (let count = 0; count < LIVES; count += 1) await live(scene, () => pass(PAUSE));
    });
    return { life: perCase(lives.usage, times(sweep, lives.minutes), LIVES), sweep };
  } finally {
    await scene.close();
  }
}

/** What an environment costs a month though nobody uses it, by the resources of its templates. */
async function standing(sweep: Usage): Promise<readonly Figure[]> {
  const stacks = readAssembly(await assemblyFor(ENVIRONMENT));
  const types = stacks.flatMap(({ template }) =>
    // As every synthesised template has them.
    Object.values(template['Resources'] as Record<string, { readonly Type: string }>).map(({ Type }) => Type),
  );
  const count = (type: string): number => types.filter((one) => one === type).length;
  const sweeping = Object.values(dollars(times(sweep, MINUTES_OF_A_MONTH))).reduce((sum, one) => sum + one, 0);
  const rows: readonly (readonly [what: string, dollars: number])[] = [
    [`${count('AWS::KMS::Key')} KMS keys`, count('AWS::KMS::Key') * PRICES.kmsKeyMonth],
    [`${count('AWS::CloudWatch::Alarm')} alarms`, count('AWS::CloudWatch::Alarm') * PRICES.alarmMonth],
    [`${count('AWS::CloudWatch::Dashboard')} dashboards`, count('AWS::CloudWatch::Dashboard') * PRICES.dashboardMonth],
    [
      `${count('AWS::Logs::MetricFilter')} metrics made from logs`,
      count('AWS::Logs::MetricFilter') * PRICES.customMetricMonth,
    ],
    [`${MINUTES_OF_A_MONTH.toLocaleString('en')} sweeps that find nothing`, sweeping],
  ];
  const figures = rows.map(([name, value]) => ({ name: `a month: ${name}`, value: round(value, 2), unit: '$' }));
  const total = rows.reduce((sum, [, value]) => sum + value, 0);
  return [...figures, { name: 'a month of an environment that nobody uses', value: round(total, 2), unit: '$' }];
}

async function measure(): Promise<readonly Figure[]> {
  const { life, sweep } = await metered();
  const of = (name: string, value: number, note?: string): Figure => ({
    name: `a case: ${name}`,
    value: round(value, 2),
    unit: '',
    ...(note === undefined ? {} : { note }),
  });
  const thousand = Object.entries(dollars(times(life, 1000)));
  const behind = life.kmsBehind * 1000 * PRICES.kmsCall;
  return [
    of('transitions', life.transitions),
    of('Lambda invocations', life.invocations),
    of('GB-seconds', life.gbSeconds, `assuming ${ASSUMED.invocationMs} ms, ${ASSUMED.sealingMs} ms to seal`),
    of('DynamoDB write units', life.writeUnits),
    of('DynamoDB read units', life.readUnits),
    of('KMS calls by the application', life.kmsCalls),
    of('KMS calls by Step Functions', life.kmsWorkflow),
    of('KMS calls by other services at most', life.kmsBehind, 'tables, buckets and queues keep their keys for minutes'),
    of('S3 requests that write or list', life.s3Writes),
    of('S3 requests that read', life.s3Reads),
    of('API requests', life.apiRequests),
    of('bus events', life.busEvents),
    of('KB of logs', life.logBytes / 1024),
    of('mails', life.mails),
    ...thousand.map(([service, value]) => ({ name: `1,000 cases: ${service}`, value: round(value, 4), unit: '$' })),
    {
      name: '1,000 cases',
      value: round(
        thousand.reduce((sum, [, value]) => sum + value, 0),
        3,
      ),
      unit: '$',
      note: 'without mail, egress and what is kept',
    },
    {
      name: '1,000 cases: KMS for other services, at most',
      value: round(behind, 4),
      unit: '$',
      note: 'not in the sum',
    },
    { name: '1,000 cases: mail', value: round(life.mails * 1000 * PRICES.mail, 2), unit: '$', note: 'not in the sum' },
    ...(await standing(sweep)),
  ];
}

export const cost: Subject = {
  name: 'cost',
  title: `What a case uses of AWS (mean of ${LIVES} whole lives, minutes between the acts), and the dollars of it`,
  seconds: 60,
  measure,
};
