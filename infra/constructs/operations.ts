import { Duration } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, MathExpression, Metric, Row, Stats, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { INDEX } from '../../lambdas/contracts/names.ts';
import { OPEN_PHASES } from '../../lambdas/contracts/open-phases.ts';
import type { Environment } from '../environments/schema.ts';
import type { FunctionName } from '../functions.ts';
import { LOG_METRICS, type LogMetric, type LogMetricName } from '../log-metrics.ts';
import type { ExchangeFunction } from './exchange-function.ts';
import { RunbookAlarm } from './runbook-alarm.ts';

interface OperationsProps {
  readonly environment: Environment;
  readonly operators: ITopic;
  readonly undelivered: Queue;
  readonly machine: StateMachine;
  readonly functions: ReadonlyMap<FunctionName, ExchangeFunction>;
  /** Tables by what they are called on the dashboard; those with indexes say which. */
  readonly tables: readonly { readonly table: ITable; readonly indexes: boolean }[];
}

const FIVE_MINUTES = Duration.minutes(5);
const CONSUMERS = ['resume-workflow', 'announce'] as const;

/** How late work may be: a clock that ran out is minded within a minute, and what the exchange does by itself takes minutes. */
const LATE = Duration.minutes(15);

/** What the operators of an exchange are shown and told: metrics of the log, alarms, each with its page, and one dashboard. */
export class Operations extends Construct {
  readonly #props: OperationsProps;

  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id);
    this.#props = props;
    for (const name of Object.keys(LOG_METRICS) as LogMetricName[]) this.#filter(name);
    this.#casesAlarms();
    this.#mailAlarms();
    this.#deliveryAlarms();
    this.#throttleAlarms();
    this.#dashboard();
  }

  #fn(name: FunctionName): ExchangeFunction {
    const found = this.#props.functions.get(name);
    if (found === undefined) throw new Error(`Function ${name} has not been made.`);
    return found;
  }

  get #namespace(): string {
    return `Valiza/${this.#props.environment.name}`;
  }

  #filter(name: LogMetricName): void {
    const { function: of, pattern, value, by }: LogMetric = LOG_METRICS[name];
    new MetricFilter(this, `${name}Filter`, {
      logGroup: this.#fn(of).function.logGroup,
      filterPattern: FilterPattern.literal(pattern),
      metricNamespace: this.#namespace,
      metricName: name,
      metricValue: value ?? '1',
      ...(by === undefined ? {} : { dimensions: { [by.dimension]: by.field } }),
    });
  }

  /** A metric of the log; how many lines, or, of one that has a value, the greatest. */
  #logged(name: LogMetricName, phase?: string): Metric {
    const { value }: LogMetric = LOG_METRICS[name];
    return new Metric({
      namespace: this.#namespace,
      metricName: name,
      statistic: value === undefined ? Stats.SUM : Stats.MAXIMUM,
      period: FIVE_MINUTES,
      ...(phase === undefined ? {} : { dimensionsMap: { Phase: phase }, label: phase }),
    });
  }

  #alarm(
    id: string,
    metric: IMetric,
    says: string,
    runbook: string,
    more: { threshold?: number; periods?: number; expected?: boolean } = {},
  ): void {
    new RunbookAlarm(this, id, {
      metric,
      says,
      runbook,
      operators: this.#props.operators,
      threshold: more.threshold ?? 1,
      evaluationPeriods: more.periods ?? 1,
      ...(more.expected === undefined ? {} : { expected: more.expected }),
    });
  }

  #casesAlarms(): void {
    const failed = this.#props.machine.metricFailed({ period: FIVE_MINUTES });
    this.#alarm('AttemptsFail', failed, 'An attempt at a case failed.', 'attempts-fail');
    this.#alarm(
      'CaseStuck',
      this.#logged('CasesStuck'),
      'A case has failed three times or more, and waits.',
      'case-stuck',
    );
    this.#alarm(
      'CaseUnreadable',
      this.#logged('CasesUnreadable'),
      'The sweep could not work on a case.',
      'case-unreadable',
    );
    this.#alarm(
      'CaseFileBehind',
      this.#logged('CaseFilesBehind'),
      'A case file is shorter than it has been.',
      'case-file-behind',
    );
    this.#alarm(
      'KeyRefused',
      this.#logged('KeysRefused'),
      'KMS refused the key of a release that is open.',
      'key-refused',
    );
    this.#alarm(
      'AccessFailed',
      this.#logged('AccessesFailed'),
      'The key of a release could not be opened.',
      'access-fails',
      { threshold: 3 },
    );
    for (const { phase, waits } of OPEN_PHASES) {
      const late = waits ? 'stands where its clock has run out' : 'has not moved, and waits for nobody';
      this.#alarm(`Late${phase}`, this.#logged('OpenWorkLate', phase), `A case in ${phase} ${late}.`, 'work-late', {
        threshold: LATE.toSeconds(),
        periods: 2,
      });
    }
    const sweeps = this.#fn('sweep-cases').function.metricInvocations({ period: FIVE_MINUTES });
    this.#alarm('SweepSilent', sweeps, 'The sweep has not run for ten minutes.', 'sweep-silent', {
      periods: 2,
      expected: true,
    });
  }

  #mailAlarms(): void {
    const bounces = this.#fn('record-bounce').function.metricErrors({ period: FIVE_MINUTES });
    this.#alarm('MailUndelivered', this.#logged('MailsUndelivered'), 'A mail did not arrive.', 'mail-undelivered');
    // Invoked by events: what fails three times is dropped. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    this.#alarm('BounceUnrecorded', bounces, 'That a mail did not arrive could not be recorded.', 'bounce-unrecorded');
    this.#alarm(
      'NobodyCanDecide',
      this.#logged('NobodyCanDecide'),
      'Nobody is left who could decide a request.',
      'nobody-can-decide',
    );
    this.#alarm('NobodyToTell', this.#logged('NobodyToTell'), 'A notice found no reader.', 'nobody-to-tell');
  }

  #deliveryAlarms(): void {
    const depth = this.#props.undelivered.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES });
    this.#alarm('SomethingUndelivered', depth, 'A record or an event could not be delivered.', 'something-undelivered');
    for (const name of CONSUMERS) {
      const says = `${name} is more than five minutes behind the case files.`;
      const more = { threshold: FIVE_MINUTES.toMilliseconds(), periods: 3 };
      this.#alarm(`${name}-behind`, this.#iteratorAge(name), says, 'consumer-behind', more);
    }
  }

  #iteratorAge(name: FunctionName): Metric {
    return this.#fn(name).function.metric('IteratorAge', {
      statistic: Stats.MAXIMUM,
      period: Duration.minutes(1),
      label: name,
    });
  }

  #throttleAlarms(): void {
    for (const [service, metric] of Object.entries(this.#throttles())) {
      this.#alarm(`${service}Throttled`, metric, `${service} throttles the exchange.`, 'throttled', {
        threshold: 5,
        periods: 2,
      });
    }
  }

  /** Calls that a service turned away in five minutes. What is throttled is tried again: a few do no harm. */
  #throttles(): Readonly<Record<'Lambda' | 'Tables' | 'Indexes' | 'StepFunctions' | 'KMS', IMetric>> {
    const { machine, tables } = this.#props;
    const keys = { access: this.#logged('KeysThrottledAtAccess'), sealing: this.#logged('KeysThrottledAtSealing') };
    const read = (dimensionsMap: Record<string, string>): Metric[] =>
      ['ReadThrottleEvents', 'WriteThrottleEvents'].map(
        (metricName) =>
          new Metric({
            namespace: 'AWS/DynamoDB',
            metricName,
            dimensionsMap,
            statistic: Stats.SUM,
            period: FIVE_MINUTES,
          }),
      );
    const withIndexes = tables.filter(({ indexes }) => indexes);
    return {
      // Of the whole account and Region, whose concurrency is one: what another function takes, these lack.
      // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
      Lambda: new Metric({
        namespace: 'AWS/Lambda',
        metricName: 'Throttles',
        statistic: Stats.SUM,
        period: FIVE_MINUTES,
      }),
      // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
      Tables: sumOf(
        'table',
        tables.flatMap(({ table }) => read({ TableName: table.tableName })),
      ),
      Indexes: sumOf(
        'index',
        withIndexes.flatMap(({ table }) =>
          Object.values(INDEX).flatMap((index) =>
            read({ TableName: table.tableName, GlobalSecondaryIndexName: index }),
          ),
        ),
      ),
      StepFunctions: machine.metricThrottled({ period: FIVE_MINUTES }),
      // KMS has no such metric: its refusals are read from the log of the two functions that call it.
      KMS: new MathExpression({ expression: 'access + sealing', usingMetrics: keys, period: FIVE_MINUTES }),
    };
  }

  #dashboard(): void {
    const { machine, undelivered } = this.#props;
    const graph = (title: string, left: readonly IMetric[]): GraphWidget =>
      new GraphWidget({ title, left: [...left], width: 8, height: 6 });
    const logged = (...names: readonly LogMetricName[]): Metric[] => names.map((name) => this.#logged(name));
    new Dashboard(this, 'Dashboard', {
      dashboardName: `valiza-${this.#props.environment.name}`,
      widgets: [
        [
          new Row(
            graph(
              'Oldest open work, by phase (seconds)',
              OPEN_PHASES.map(({ phase }) => this.#logged('OpenWorkAge', phase)),
            ),
            graph(
              'Late work, by phase (seconds)',
              OPEN_PHASES.map(({ phase }) => this.#logged('OpenWorkLate', phase)),
            ),
            graph('Attempts', [
              machine.metricStarted({ period: FIVE_MINUTES }),
              machine.metricFailed({ period: FIVE_MINUTES }),
              ...logged('CasesRestarted', 'CasesStuck', 'CasesUnreadable', 'CaseFilesBehind'),
            ]),
          ),
        ],
        [
          new Row(
            graph('Accesses that failed', logged('KeysRefused', 'AccessesFailed')),
            graph('Notices', logged('MailsUndelivered', 'NobodyCanDecide', 'NobodyToTell')),
            graph(
              'Behind the case files (milliseconds)',
              CONSUMERS.map((name) => this.#iteratorAge(name)),
            ),
          ),
        ],
        [
          new Row(
            graph('Undelivered', [undelivered.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES })]),
            graph('Throttles', Object.values(this.#throttles())),
            graph(
              'Errors of functions',
              // The canary has an alarm of its own, and is not everywhere.
              [...this.#props.functions].flatMap(([name, one]) =>
                name === 'run-canary' ? [] : [one.function.metricErrors({ period: FIVE_MINUTES })],
              ),
            ),
          ),
        ],
      ],
    });
  }
}

/** The sum of metrics, of which some may say nothing. An alarm takes ten at most. */
function sumOf(prefix: string, metrics: readonly Metric[]): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`${prefix}${index}`, metric]));
  const expression = Object.keys(usingMetrics)
    .map((name) => `FILL(${name}, 0)`)
    .join(' + ');
  return new MathExpression({ expression, usingMetrics, period: FIVE_MINUTES });
}
