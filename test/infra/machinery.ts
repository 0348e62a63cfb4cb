import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FUNCTIONS, functionsOf, type FunctionName } from '../../infra/functions.ts';
import { problem } from '../../lambdas/contracts/api-answers.ts';
import { LOG_METRICS } from '../../infra/log-metrics.ts';
import { ROUTES, type Route } from '../../lambdas/contracts/routes.ts';
import type { Templates } from '../support/template.ts';

const RUNBOOKS = join(__dirname, '..', '..', 'docs', 'runbooks');

interface EventPattern {
  readonly source: readonly string[];
  readonly 'detail-type': readonly string[];
}

/** Declares the tests of what runs in an environment: functions, consumers, alarms, the API. */
export function machineryOf(templates: Templates): void {
  const { environment } = templates;
  const NAMES = functionsOf(environment);
  const functionIdOf = (name: FunctionName): string =>
    templates
      .ofType('AWS::Lambda::Function')
      .find(({ properties }) => properties['FunctionName'] === `valiza-${environment.name}-${name}`)?.id ?? '';
  const certificatesOf = (): string => {
    const { Environment } = templates.resource(functionIdOf('authenticate-caller')).properties;
    return templates.text((Environment as { Variables: Record<string, unknown> }).Variables['CLIENT_CERTIFICATES']);
  };

  it('has each function once, by its name, with a role, a log, a timeout and a memory of its own', () => {
    const functions = templates.ofType('AWS::Lambda::Function');
    expect(functions.map(({ properties }) => properties['FunctionName']).toSorted()).toEqual(
      NAMES.map((name) => `valiza-${environment.name}-${name}`).toSorted(),
    );
    for (const member of ['Role', 'LoggingConfig'] as const) {
      const distinct = new Set(functions.map(({ properties }) => JSON.stringify(properties[member])));
      expect([member, distinct.size]).toEqual([member, NAMES.length]);
    }
    for (const name of NAMES) {
      const spec = FUNCTIONS[name];
      const { properties } = templates.resource(functionIdOf(name));
      expect(properties).toMatchObject({
        Timeout: spec.timeoutSeconds,
        MemorySize: spec.memoryMb,
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        LoggingConfig: { LogFormat: 'JSON', LogGroup: expect.anything() },
      });
      const { Variables } = properties['Environment'] as { Variables: object };
      expect(Object.keys(Variables).toSorted()).toEqual([...spec.environment].toSorted());
      // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html: all together at most 4 KB.
      expect(Buffer.byteLength(JSON.stringify(Variables))).toBeLessThan(4096);
    }
  });

  it('caps how many packages are sealed at once', () => {
    expect(templates.resource(functionIdOf('seal-package')).properties['ReservedConcurrentExecutions']).toBe(
      environment.concurrentSealings,
    );
  });

  it('reads the stream of case files twice, and gives up on no record silently', () => {
    const mappings = templates.ofType('AWS::Lambda::EventSourceMapping');
    expect(mappings.map(({ properties }) => templates.text(properties['FunctionName'])).toSorted()).toEqual(
      (['announce', 'resume-workflow'] as const).map((name) => `\${${functionIdOf(name)}}`).toSorted(),
    );
    for (const { properties } of mappings) {
      expect(properties).toMatchObject({
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        StartingPosition: 'TRIM_HORIZON',
      });
      // -1 would be for ever: one record that cannot be handled would hold up all that follow.
      expect(properties['MaximumRetryAttempts']).toBeGreaterThan(0);
      expect(templates.text(properties['EventSourceArn'])).toBe('${Cases80582F3E.StreamArn}');
      const { OnFailure } = properties['DestinationConfig'] as { OnFailure: { Destination: unknown } };
      expect(templates.text(OnFailure.Destination)).toMatch(/^\$\{Undelivered\w+\.Arn\}$/);
    }
  });

  it('lets no scheduled or forwarded event be lost silently', () => {
    const rules = templates.ofType('AWS::Events::Rule');
    for (const { properties } of rules) {
      for (const target of properties['Targets'] as { DeadLetterConfig?: { Arn: unknown } }[]) {
        expect(templates.text(target.DeadLetterConfig?.Arn)).toMatch(/^\$\{Undelivered\w+\.Arn\}$/);
      }
    }
    const patterns = rules.flatMap(({ properties }) => (properties['EventPattern'] ?? []) as EventPattern | []);
    expect(patterns.map(({ source, 'detail-type': types }) => `${source.join()}: ${types.join()}`).toSorted()).toEqual([
      'aws.ses: Email Bounced,Email Complaint Received,Email Rejected',
      'aws.states: Step Functions Execution Status Change',
      'valiza.exchange: MailRejected',
    ]);
    expect(patterns.find(({ source }) => source.includes('aws.states'))).toMatchObject({
      detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
    });
    // Mail that others of the account send is no concern of the exchange.
    expect(patterns.find(({ source }) => source.includes('aws.ses'))).toMatchObject({
      detail: { mail: { tags: { 'ses:configuration-set': [expect.anything()] } } },
    });
    const schedules = rules.flatMap(({ properties }) => properties['ScheduleExpression'] ?? []);
    expect(schedules.toSorted()).toEqual([
      'rate(1 minute)',
      ...(environment.canary === null ? [] : ['rate(30 minutes)']),
    ]);
  });

  it('has alarms that reach the operators, and for each a page that names it and says what to do', () => {
    const named = new Map<string, string[]>();
    for (const { id, properties } of templates.ofType('AWS::CloudWatch::Alarm')) {
      const [, page = ''] =
        /^\S.+\. Runbook: docs\/runbooks\/([a-z-]+)\.md$/.exec(String(properties['AlarmDescription'])) ?? [];
      expect([id, page]).toEqual([id, expect.stringMatching(/./)]);
      expect((properties['AlarmActions'] as unknown[]).map(templates.text)).toEqual([
        expect.stringMatching(/^\$\{Operators\w+\}$/),
      ]);
      // Silence is a fault of what is to happen again and again; of every other metric it says that nothing happened.
      const name = id.replace(/^Operations|Alarm[0-9A-F]{8}$/g, '');
      expect([name, properties['TreatMissingData']]).toEqual([
        name,
        ['SweepSilent', 'CanaryFails'].includes(name) ? 'breaching' : 'notBreaching',
      ]);
      named.set(page, [...(named.get(page) ?? []), name]);
    }
    const pages = readdirSync(RUNBOOKS).map((file) => file.replace(/\.md$/, ''));
    const without = environment.canary?.scheduled === true ? [] : ['canary-fails'];
    expect([...named.keys(), ...without].toSorted()).toEqual(pages.toSorted());
    for (const [page, alarms] of named) {
      const text = readFileSync(join(RUNBOOKS, `${page}.md`), 'utf8');
      const [, list = ''] = /\*\*Alarms?\*\*([^:]+):/.exec(text) ?? [];
      const told = [...list.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name.replaceAll(/[-_]/g, ''));
      expect([page, told.toSorted()]).toEqual([page, alarms.toSorted()]);
      const sections = [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
      expect([page, sections.slice(0, 4)]).toEqual([
        page,
        ['What it means', 'What to look at', 'What to do', 'When it is over'],
      ]);
    }
  });

  it('alarms of no metric of its own that nothing makes, and keeps none apart by anything but the phase', () => {
    const made = templates.ofType('AWS::Logs::MetricFilter').map(({ properties }) => {
      const [of] = properties['MetricTransformations'] as [
        { MetricNamespace: string; MetricName: string; Dimensions?: { Key: string }[] },
      ];
      expect(of.MetricNamespace).toBe(`Valiza/${environment.name}`);
      expect((of.Dimensions ?? []).map(({ Key }) => Key)).toEqual(
        of.MetricName.startsWith('OpenWork') ? ['Phase'] : [],
      );
      return of.MetricName;
    });
    expect(made.filter((name) => name !== 'CanaryThrough').toSorted()).toEqual(Object.keys(LOG_METRICS).toSorted());
    const used = JSON.stringify(templates.ofType('AWS::CloudWatch::Alarm').map(({ properties }) => properties));
    const ours = [...used.matchAll(/"MetricName":"(\w+)","Namespace":"Valiza\//g)].map(([, name = '']) => name);
    expect(ours.length).toBeGreaterThan(10);
    expect(ours.filter((name) => !made.includes(name))).toEqual([]);
  });

  it('has one dashboard', () => {
    expect(templates.ofType('AWS::CloudWatch::Dashboard').map(({ properties }) => properties['DashboardName'])).toEqual(
      [`valiza-${environment.name}`],
    );
  });

  it('runs the canary where the environment says so, and takes its silence for a failure', () => {
    const { canary } = environment;
    const rule = templates.ofType('AWS::Events::Rule').find(({ id }) => id.startsWith('Canary'));
    const alarm = templates.ofType('AWS::CloudWatch::Alarm').find(({ id }) => id.startsWith('CanaryFails'));
    const filters = templates.ofType('AWS::Logs::MetricFilter').filter(({ id }) => id.startsWith('runcanary'));
    expect(rule?.properties['State']).toBe(canary === null ? undefined : canary.scheduled ? 'ENABLED' : 'DISABLED');
    if (canary?.scheduled !== true) return expect([alarm, filters]).toEqual([undefined, []]);
    const metric = { MetricName: 'CanaryThrough' };
    expect(filters.map(({ properties }) => properties)).toEqual([
      expect.objectContaining({
        FilterPattern: '{ $.message.code = "CANARY_OK" }',
        MetricTransformations: [expect.objectContaining({ ...metric, MetricValue: '1' })],
      }),
    ]);
    expect(alarm?.properties).toMatchObject({
      ...metric,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      Period: canary.everyMinutes * 60,
      TreatMissingData: 'breaching',
    });
  });

  it('lets the alarms publish to the encrypted topic', () => {
    const [topicPolicy] = templates.ofType('AWS::SNS::TopicPolicy');
    const byAlarms = { allows: true, principals: { Service: ['cloudwatch.amazonaws.com'] } };
    expect(templates.statements(topicPolicy?.properties['PolicyDocument'])).toContainEqual(
      expect.objectContaining({ ...byAlarms, actions: ['sns:Publish'] }),
    );
    expect(templates.statements(templates.resource('VaultKey6B75F33E').properties['KeyPolicy'])).toContainEqual(
      expect.objectContaining({ ...byAlarms, actions: ['kms:Decrypt', 'kms:GenerateDataKey'] }),
    );
  });

  it('has a method for each route, none besides, and asks who calls wherever the route does', () => {
    const paths = new Map<string, string>();
    const pathOf = (reference: string): string => paths.get(reference) ?? '';
    for (const { id, properties } of templates.ofType('AWS::ApiGateway::Resource')) {
      paths.set(`\${${id}}`, `${pathOf(templates.text(properties['ParentId']))}/${String(properties['PathPart'])}`);
    }
    const found = templates.ofType('AWS::ApiGateway::Method').map(({ properties }) => {
      const path = pathOf(templates.text(properties['ResourceId']));
      const { Uri } = properties['Integration'] as { Uri: unknown };
      const [, functionId] = /functions\/\$\{(\w+)\.Arn\}\/invocations$/.exec(templates.text(Uri)) ?? [];
      return [properties['HttpMethod'], path, properties['AuthorizationType'], functionId];
    });
    const expected = Object.values<Route>(ROUTES).map((route) => [
      route.method,
      route.path,
      route.auth === 'caller' ? 'CUSTOM' : 'NONE',
      functionIdOf(route.function),
    ]);
    expect(found.toSorted()).toEqual(expected.toSorted());
    const open = Object.values<Route>(ROUTES).filter(({ auth }) => auth === 'none');
    expect(open.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
      'GET /v1/healthz',
      'GET /v1/openapi.json',
    ]);
  });

  it('verifies a token each time it is shown', () => {
    const [authorizer] = templates.ofType('AWS::ApiGateway::Authorizer');
    expect(authorizer?.properties).toMatchObject({ AuthorizerResultTtlInSeconds: 0, Type: 'REQUEST' });
  });

  it('logs no path, address or header of a request', () => {
    const stages = templates.ofType('AWS::ApiGateway::Stage');
    expect(stages).toHaveLength(1);
    const properties = stages[0]?.properties ?? {};
    const { Format } = properties['AccessLogSetting'] as { Format: string };
    expect(Object.values(JSON.parse(Format) as object).toSorted()).toEqual([
      '$context.httpMethod',
      '$context.requestId',
      '$context.requestTimeEpoch',
      '$context.resourcePath',
      '$context.status',
    ]);
    for (const settings of properties['MethodSettings'] as object[]) {
      expect(settings).toMatchObject({ DataTraceEnabled: false });
      expect(settings).not.toHaveProperty('LoggingLevel');
    }
  });

  it('answers what the gateway itself refuses as problem documents, each of the status that it says', () => {
    const responses = templates.ofType('AWS::ApiGateway::GatewayResponse').map(({ properties }) => properties);
    expect(responses.map(({ ResponseType }) => ResponseType)).toEqual(
      expect.arrayContaining(['DEFAULT_4XX', 'DEFAULT_5XX', 'THROTTLED', 'UNAUTHORIZED']),
    );
    for (const { StatusCode, ResponseTemplates, ResponseParameters } of responses) {
      const document = JSON.parse((ResponseTemplates as Record<string, string>)['application/json'] ?? '') as object;
      expect(problem.parse(document)).toMatchObject({ status: Number(StatusCode), traceId: '$context.requestId' });
      const headers = ResponseParameters as Record<string, string>;
      expect(headers['gatewayresponse.header.Content-Type']).toBe("'application/problem+json'");
      const later = ['429', '503'].includes(String(StatusCode)) ? "'1'" : undefined;
      expect(headers['gatewayresponse.header.Retry-After']).toBe(later);
    }
  });

  if (environment.api.mutualTls === null) {
    it('has no registry of certificates where none is shown', () => {
      expect(certificatesOf()).toBe('null');
    });
  }

  if (environment.stage === 'production') {
    it('row 2: is not reached at the default address of its API', () => {
      const apis = templates.ofType('AWS::ApiGateway::RestApi');
      expect(apis.map(({ properties }) => properties['DisableExecuteApiEndpoint'])).toEqual([true]);
    });

    it('row 1: is reached over mutual TLS alone, and lets in no certificate but those of its registry', () => {
      const [domain, ...others] = templates.ofType('AWS::ApiGateway::DomainName');
      expect(others).toEqual([]);
      expect(domain?.properties).toMatchObject({
        MutualTlsAuthentication: { TruststoreUri: expect.stringMatching(/^s3:\/\/.+\.pem$/) },
        SecurityPolicy: 'TLS_1_2',
      });
      expect(templates.ofType('AWS::ApiGateway::BasePathMapping')).toHaveLength(1);
      expect(JSON.parse(certificatesOf())).toEqual(environment.api.mutualTls?.certificates);
      // Every way in that asks for a token asks for the certificate too: it is one authorizer that looks at both.
      expect(templates.ofType('AWS::ApiGateway::Authorizer')).toHaveLength(1);
    });
  }
}
