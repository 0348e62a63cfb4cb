import { Aws, CfnOutput, CfnParameter, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal, type Role } from 'aws-cdk-lib/aws-iam';
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Key } from 'aws-cdk-lib/aws-kms';
import { FilterPattern, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ConfigurationSet, EmailIdentity, EmailSendingEvent, EventDestination, Identity } from 'aws-cdk-lib/aws-ses';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import {
  CustomerManagedEncryptionConfiguration,
  DefinitionBody,
  LogLevel,
  QueryLanguage,
  StateMachine,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { EVENT_SCHEMA } from '../../lambdas/contracts/event-schema.ts';
import {
  ENV,
  EVENT_SCHEMA_METADATA,
  EVENT_SOURCE,
  functionNameIn,
  MAIL_EVENTS,
  MAIL_REJECTED,
  NO_CANARY,
} from '../../lambdas/contracts/names.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { ExchangeApi } from '../constructs/exchange-api.ts';
import { ExchangeFunction, type EnvironmentValues } from '../constructs/exchange-function.ts';
import { Operations } from '../constructs/operations.ts';
import { RunbookAlarm } from '../constructs/runbook-alarm.ts';
import type { Environment } from '../environments/schema.ts';
import { functionsOf, type FunctionName } from '../functions.ts';
import { caseWorkflow } from '../workflow/case-workflow.ts';
import { workflowRole } from '../workflow/workflow-role.ts';
import { operatorRole } from './operator-role.ts';
import { PERMISSIONS } from './permissions.ts';
import type { VaultStack } from './vault.ts';

interface Mail {
  /** Name of the configuration set. */
  readonly set: string;
  /** What whoever sends names. */
  readonly arns: readonly string[];
}

interface ExchangeProps extends StackProps {
  readonly environment: Environment;
  readonly vault: VaultStack;
  /** Directory of the functions' bundles; without, for a template that is only looked at, they get placeholders. */
  readonly bundles?: string | undefined;
}

/** The exchange of a nation: functions, workflow, API, schedules, alarms. Holds no state: it can be replaced whole. */
export class ExchangeStack extends Stack {
  readonly #functions = new Map<FunctionName, ExchangeFunction>();
  readonly #undelivered: Queue;
  readonly #operators: Topic;

  constructor(scope: Construct, id: string, props: ExchangeProps) {
    super(scope, id, props);
    const { environment, vault } = props;
    // What this release understands: the doctor compares it with what cases in flight have (docs/upgrade.md).
    this.addMetadata(EVENT_SCHEMA_METADATA, EVENT_SCHEMA);
    const bus = new EventBus(this, 'Bus', { eventBusName: `valiza-${environment.name}` });
    const mail = this.#mail(environment);
    this.#undelivered = new Queue(this, 'Undelivered', {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: vault.vaultKey,
      retentionPeriod: Duration.days(14),
      enforceSSL: true,
    });
    acknowledge(this.#undelivered, 'AwsSolutions-SQS3', 'This is the queue of what could not be delivered.');
    this.#operators = new Topic(this, 'Operators', { masterKey: vault.vaultKey, enforceSSL: true });
    this.#operators.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsSpeak',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.#operators.topicArn],
        // https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
        conditions: {
          StringEquals: { 'aws:SourceAccount': this.account },
          ArnLike: {
            'aws:SourceArn': `arn:${Aws.PARTITION}:cloudwatch:${this.region}:${this.account}:alarm:${this.stackName}-*`,
          },
        },
      }),
    );
    const stateMachineName = `valiza-${environment.name}-case`;
    // Named, because functions that the workflow starts with need its ARN before it is made from the functions it calls.
    const stateMachineArn = this.#stateMachineArn(stateMachineName);
    const values = this.#values(environment, vault, bus, stateMachineArn);
    for (const name of functionsOf(environment)) if (name !== 'run-canary') this.#makeFunction(name, props, values);
    const machine = this.#workflow(environment, vault, stateMachineName);
    this.#consumers(vault, machine, bus, mail);
    this.#sweeps(machine, stateMachineName);
    this.#undeliveredMail(environment, mail, bus);
    const api = new ExchangeApi(this, 'Api', {
      environment,
      vaultKey: vault.vaultKey,
      functions: { api: this.#fn('api').function, 'grant-access': this.#fn('grant-access').function },
      authenticate: this.#fn('authenticate-caller').function,
    });
    if (environment.canary !== null) {
      // After the API, whose address it is given.
      this.#makeFunction('run-canary', props, { ...values, [ENV.apiAddress]: api.restApi.url });
      this.#canary(environment.name, environment.canary);
    }
    this.#operating(environment, vault, stateMachineName);
    new Operations(this, 'Operations', {
      environment,
      operators: this.#operators,
      undelivered: this.#undelivered,
      machine,
      functions: this.#functions,
      tables: [
        { table: vault.cases, indexes: true },
        ...[vault.directory, vault.tokens, vault.idempotency, vault.tally].map((table) => ({ table, indexes: false })),
      ],
    });
    new CfnOutput(this, 'ApiAddress', {
      value: environment.api.mutualTls === null ? api.restApi.url : `https://${environment.api.mutualTls.domainName}`,
    });
    new CfnOutput(this, 'StateMachineArn', { value: machine.stateMachineArn });
  }

  #fn(name: FunctionName): ExchangeFunction {
    const found = this.#functions.get(name);
    if (found === undefined) throw new Error(`Function ${name} has not been made.`);
    return found;
  }

  /** Every environment variable that any function reads; each function is given those that it names. */
  #values(environment: Environment, vault: VaultStack, bus: EventBus, stateMachineArn: string): EnvironmentValues {
    const issuers = environment.issuers.map(({ keySet, ...row }) => ({
      ...row,
      keySet:
        typeof keySet === 'string'
          ? keySet
          : new CfnParameter(this, keySet.parameter, { description: "Address of the exercise issuer's key set" })
              .valueAsString,
    }));
    return {
      [ENV.casesTable]: vault.cases.tableName,
      [ENV.tallyTable]: vault.tally.tableName,
      [ENV.directoryTable]: vault.directory.tableName,
      [ENV.tokensTable]: vault.tokens.tableName,
      [ENV.idempotencyTable]: vault.idempotency.tableName,
      [ENV.depositsBucket]: vault.deposits.bucketName,
      [ENV.packagesBucket]: vault.packages.bucketName,
      [ENV.packageKeyId]: vault.packageKey.keyArn,
      [ENV.vaultKeyArn]: vault.vaultKey.keyArn,
      [ENV.releaseAccessRole]: vault.releaseAccessRole.roleArn,
      [ENV.stateMachine]: stateMachineArn,
      [ENV.sweep]: functionNameIn(environment.name, 'sweep-cases'),
      [ENV.bus]: bus.eventBusName,
      [ENV.mailFrom]: environment.mail.from,
      [ENV.portal]: environment.portal,
      [ENV.nation]: environment.nation,
      [ENV.environment]: environment.name,
      [ENV.issuers]: this.toJsonString(issuers),
      [ENV.audience]: `valiza:${environment.name}`,
      // `null` without mutual TLS: no certificate is shown there.
      [ENV.canaryKey]: vault.canary?.key.keyArn ?? NO_CANARY,
      [ENV.certificates]: JSON.stringify(environment.api.mutualTls?.certificates ?? null),
      [ENV.foundingOfficers]: JSON.stringify(environment.foundingOfficers),
    };
  }

  #makeFunction(name: FunctionName, props: ExchangeProps, values: EnvironmentValues): void {
    const { environment, vault, bundles } = props;
    const vaultRoles: Partial<Record<FunctionName, Role>> = {
      'seal-package': vault.sealingRole,
      'grant-access': vault.grantRole,
      ...(vault.canary === undefined ? {} : { 'run-canary': vault.canary.role }),
    };
    const role = vaultRoles[name];
    const made = new ExchangeFunction(this, name, {
      name,
      environment,
      vaultKey: vault.vaultKey,
      values,
      bundles,
      ...(role === undefined ? {} : { role }),
      ...(name === 'seal-package' ? { reservedConcurrency: environment.concurrentSealings } : {}),
    });
    for (const grant of PERMISSIONS[name]) grant(made.role, vault);
    this.#functions.set(name, made);
  }

  #workflow(environment: Environment, vault: VaultStack, stateMachineName: string): StateMachine {
    // What an execution begins with it keeps: a published version never changes.
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
    const fn = (name: FunctionName) => this.#fn(name).function.currentVersion;
    // By its ARN, so that no construct writes into the key's policy.
    const key = Key.fromKeyArn(this, 'WorkflowKey', vault.vaultKey.keyArn);
    const machine = new StateMachine(this, 'CaseWorkflow', {
      stateMachineName,
      role: workflowRole(
        this,
        STEPS.map((name) => this.#fn(name).function),
        key,
        this.#stateMachineArn(stateMachineName),
      ),
      queryLanguage: QueryLanguage.JSONATA,
      definitionBody: DefinitionBody.fromChainable(
        caseWorkflow(this, {
          assessRequest: fn('assess-request'),
          awaitParty: fn('await-party'),
          sealPackage: fn('seal-package'),
          openRelease: fn('open-release'),
          closeRelease: fn('close-release'),
          recordFailure: fn('record-failure'),
        }),
      ),
      encryptionConfiguration: new CustomerManagedEncryptionConfiguration(key, Duration.seconds(60)),
      logs: {
        destination: new LogGroup(this, 'WorkflowLog', {
          logGroupName: `/aws/vendedlogs/states/${stateMachineName}`,
          encryptionKey: vault.vaultKey,
          retention: environment.logDays as RetentionDays, // the enumeration's values are days
          removalPolicy: environment.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ERROR,
        includeExecutionData: false,
      },
    });
    acknowledge(
      machine,
      'AwsSolutions-SF1',
      'Errors are logged; the case file is the record of everything else, and executions are disposable.',
    );
    acknowledge(
      machine,
      'AwsSolutions-SF2',
      'Traces would carry ids from service to service; the case file already tells what happened when.',
    );
    return machine;
  }

  /** Who the exchange's mail is from, and where what becomes of it is told. */
  #mail(environment: Environment): Mail {
    const set = new ConfigurationSet(this, 'Mail', { configurationSetName: `valiza-${environment.name}` });
    // Only the default bus is supported. A delay is not an end, and there is no template whose rendering could fail.
    // https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_EventBridgeDestination.html
    set.addEventDestination('Fate', {
      destination: EventDestination.eventBus(EventBus.fromEventBusName(this, 'DefaultBus', 'default')),
      events: [EmailSendingEvent.BOUNCE, EmailSendingEvent.COMPLAINT, EmailSendingEvent.REJECT],
    });
    const domain = Identity.domain(environment.mail.domain);
    const identity = new EmailIdentity(this, 'MailIdentity', { identity: domain, configurationSet: set });
    const setArn = `arn:${Aws.PARTITION}:ses:${this.region}:${this.account}:configuration-set/${set.configurationSetName}`;
    return { set: set.configurationSetName, arns: [identity.emailIdentityArn, setArn] };
  }

  /** Mail that came back, and mail that was not taken at all. */
  #undeliveredMail(environment: Environment, mail: Mail, bus: EventBus): void {
    const target = () =>
      new LambdaTarget(this.#fn('record-bounce').function, {
        deadLetterQueue: this.#undelivered,
        retryAttempts: 5,
        maxEventAge: Duration.hours(1),
      });
    new Rule(this, 'MailCameBack', {
      ruleName: `valiza-${environment.name}-mail-came-back`,
      description: 'A mail of the exchange did not arrive',
      eventPattern: {
        source: ['aws.ses'],
        detailType: [...MAIL_EVENTS],
        detail: { mail: { tags: { 'ses:configuration-set': [mail.set] } } },
      },
      targets: [target()],
    });
    new Rule(this, 'MailNotTaken', {
      eventBus: bus,
      ruleName: `valiza-${environment.name}-mail-not-taken`,
      description: 'The mail service did not take a mail of the exchange',
      eventPattern: { source: [EVENT_SOURCE], detailType: [MAIL_REJECTED] },
      targets: [target()],
    });
  }

  #stateMachineArn(stateMachineName: string): string {
    return `arn:${Aws.PARTITION}:states:${this.region}:${this.account}:stateMachine:${stateMachineName}`;
  }

  /** The two consumers of the case table's stream. */
  #consumers(vault: VaultStack, machine: StateMachine, bus: EventBus, mail: Mail): void {
    const streamArn = vault.cases.tableStreamArn ?? '';
    const resume = this.#fn('resume-workflow');
    // The only role that may start or wake an execution. A task token has no ARN, so SendTask* takes every resource.
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
    resume.role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['states:StartExecution'], resources: [machine.stateMachineArn] }),
    );
    resume.role.addToPrincipalPolicy(new PolicyStatement({ actions: ['states:SendTaskSuccess'], resources: ['*'] }));
    const announce = this.#fn('announce');
    announce.role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['events:PutEvents'], resources: [bus.eventBusArn] }),
    );
    announce.role.addToPrincipalPolicy(new PolicyStatement({ actions: ['ses:SendEmail'], resources: [...mail.arns] }));
    for (const consumer of [resume, announce]) {
      consumer.role.addToPrincipalPolicy(
        new PolicyStatement({
          actions: ['dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:DescribeStream'],
          resources: [streamArn],
        }),
      );
      // https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html: streams are listed for the account.
      consumer.role.addToPrincipalPolicy(new PolicyStatement({ actions: ['dynamodb:ListStreams'], resources: ['*'] }));
      acknowledge(
        consumer.role,
        'AwsSolutions-IAM5[Resource::*]',
        'dynamodb:ListStreams lists the streams of the account, and a task token has no ARN: neither has a narrower resource.',
      );
      consumer.role.addToPrincipalPolicy(
        new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.#undelivered.queueArn] }),
      );
      consumer.function.addEventSourceMapping('CaseStream', {
        eventSourceArn: streamArn,
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 25,
        bisectBatchOnError: true,
        retryAttempts: 10,
        reportBatchItemFailures: true,
        onFailure: { bind: () => ({ destination: this.#undelivered.queueArn }) },
        // Only a head says that a case stands elsewhere.
        filters: [FilterCriteria.filter({ dynamodb: { Keys: { sk: { S: FilterRule.isEqual('HEAD') } } } })],
      });
    }
  }

  /** The sweep, every minute and at each end of an execution that was not a success. */
  #sweeps(machine: StateMachine, machineName: string): void {
    const sweep = this.#fn('sweep-cases');
    const executions = this.#executionsOf(machineName);
    sweep.role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['states:DescribeExecution'], resources: [executions] }),
    );
    this.#acknowledgeExecutions(sweep.role, executions);
    const target = () =>
      new LambdaTarget(sweep.function, {
        deadLetterQueue: this.#undelivered,
        retryAttempts: 5,
        maxEventAge: Duration.hours(1),
      });
    new Rule(this, 'EveryMinute', {
      ruleName: `${machineName}-every-minute`,
      description: 'Looks whether everything that should have happened has',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [target()],
    });
    new Rule(this, 'ExecutionEnded', {
      ruleName: `${machineName}-ended`,
      description: 'An execution ended without success: its case gets the next attempt',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: [machine.stateMachineArn] },
      },
      targets: [target()],
    });
  }

  /** Operators ask one function, and read nothing themselves: no title reaches them (promise S7). */
  #operating(environment: Environment, vault: VaultStack, machineName: string): void {
    const answer = this.#fn('answer-operator');
    const executions = this.#executionsOf(machineName);
    answer.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['states:DescribeExecution', 'states:DescribeStateMachineForExecution'],
        resources: [executions],
      }),
    );
    this.#acknowledgeExecutions(answer.role, executions);
    // What it repairs, the sweep repairs: it writes nothing itself.
    answer.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [this.#fn('sweep-cases').function.functionArn],
      }),
    );
    const canary = this.#functions.get('run-canary');
    const operator = operatorRole(
      this,
      environment,
      [answer, canary].flatMap((each) => each?.function ?? []),
      [vault.stackName, this.stackName],
    );
    new CfnOutput(this, 'OperatorRoleArn', { value: operator.roleArn });
  }

  #executionsOf(machineName: string): string {
    return `${this.#stateMachineArn(machineName).replace(':stateMachine:', ':execution:')}:*`;
  }

  #acknowledgeExecutions(role: Role, executions: string): void {
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::${executions.replace(Aws.PARTITION, '<AWS::Partition>')}]`,
      'The executions of this workflow; their names are random.',
    );
  }

  /** Runs the canary as the environment says, and tells the operators when none has come through for two turns, for whatever reason. */
  #canary(name: string, { everyMinutes, scheduled }: NonNullable<Environment['canary']>): void {
    const canary = this.#fn('run-canary').function;
    new Rule(this, 'Canary', {
      ruleName: `valiza-${name}-canary`,
      description: 'Carries an exercise case through the exchange',
      enabled: scheduled,
      schedule: Schedule.rate(Duration.minutes(everyMinutes)),
      // The next turn comes anyway.
      targets: [new LambdaTarget(canary, { deadLetterQueue: this.#undelivered, retryAttempts: 0 })],
    });
    if (!scheduled) return;
    const through = canary.logGroup.addMetricFilter('Through', {
      filterPattern: FilterPattern.stringValue('$.message.code', '=', 'CANARY_OK'),
      metricNamespace: `Valiza/${name}`,
      metricName: 'CanaryThrough',
      metricValue: '1',
    });
    new RunbookAlarm(this, 'CanaryFails', {
      metric: through.metric({ statistic: 'Sum', period: Duration.minutes(everyMinutes) }),
      expected: true,
      threshold: 1,
      evaluationPeriods: 2,
      says: 'No canary has come through the exchange for two turns.',
      runbook: 'canary-fails',
      operators: this.#operators,
    });
  }
}

/** The functions that the workflow invokes. */
const STEPS = [
  'assess-request',
  'await-party',
  'seal-package',
  'open-release',
  'close-release',
  'record-failure',
] as const;
