import { Aws, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  AccessLogField,
  AccessLogFormat,
  AuthorizationType,
  CfnAccount,
  DomainName,
  EndpointType,
  IdentitySource,
  Integration,
  IntegrationType,
  LogGroupLogDestination,
  RequestAuthorizer,
  ResponseType,
  RestApi,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ROUTES } from '../../lambdas/contracts/routes.ts';
import type { Environment } from '../environments/schema.ts';
import { acknowledge } from './acknowledge.ts';

interface ExchangeApiProps {
  readonly environment: Environment;
  readonly vaultKey: IKey;
  readonly functions: Readonly<Record<'api' | 'grant-access', IFunction>>;
  readonly authenticate: IFunction;
}

const STAGE = 'live';

/**
 * What the gateway itself answers, as problem documents like those of the functions (RFC 9457). The status of a default is that of every type
 * that is not named here, so that the document can say it. What the gateway cannot answer is a 503: sent again, the request is the same act.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
const GATEWAY_PROBLEMS: readonly (readonly [ResponseType, string, string, string, string])[] = [
  [
    ResponseType.UNAUTHORIZED,
    '401',
    'NOT_AUTHENTICATED',
    'No valid token came with the request.',
    'Sign in again, and send Authorization: Bearer with a token that is at most ten minutes old and, in production, bound to your client certificate.',
  ],
  [
    ResponseType.ACCESS_DENIED,
    '403',
    'ACCESS_DENIED',
    'This credential may not call this operation.',
    'Sign in as a person whom the directory lists.',
  ],
  [
    ResponseType.MISSING_AUTHENTICATION_TOKEN,
    '404',
    'NOT_FOUND',
    'There is no such operation.',
    'GET /v1/openapi.json lists every operation.',
  ],
  [
    ResponseType.RESOURCE_NOT_FOUND,
    '404',
    'NOT_FOUND',
    'There is no such operation.',
    'GET /v1/openapi.json lists every operation.',
  ],
  [
    ResponseType.REQUEST_TOO_LARGE,
    '413',
    'BODY_TOO_LARGE',
    'The request is too large.',
    'Documents are uploaded as deposits, never in a request.',
  ],
  [
    ResponseType.THROTTLED,
    '429',
    'THROTTLED',
    'Too many requests.',
    'Wait a moment and send the same request again with the same idempotency key.',
  ],
  [
    ResponseType.UNSUPPORTED_MEDIA_TYPE,
    '415',
    'MEDIA_TYPE',
    'The body is not text in UTF-8.',
    'Send JSON in UTF-8 with Content-Type: application/json.',
  ],
  [
    ResponseType.WAF_FILTERED,
    '403',
    'FILTERED',
    'A firewall of this exchange refused the request.',
    'Quote the trace id to the exchange.',
  ],
  [
    ResponseType.DEFAULT_4XX,
    '400',
    'BAD_REQUEST',
    'The request could not be understood.',
    'GET /v1/openapi.json describes every operation.',
  ],
  [
    ResponseType.DEFAULT_5XX,
    '503',
    'UNAVAILABLE',
    'The exchange could not answer.',
    'Send the same request again with the same idempotency key.',
  ],
];

/** The API: each route of the table is a method, so that the gateway knows the routes and nothing else reaches a function. */
export class ExchangeApi extends Construct {
  readonly restApi: RestApi;

  constructor(scope: Construct, id: string, props: ExchangeApiProps) {
    super(scope, id);
    const { environment } = props;
    const { api } = environment;
    const accessLog = new LogGroup(this, 'AccessLog', {
      logGroupName: `/aws/apigateway/valiza-${environment.name}`,
      encryptionKey: props.vaultKey,
      retention: environment.logDays as RetentionDays, // the enumeration's values are days
      removalPolicy: environment.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.restApi = new RestApi(this, 'RestApi', {
      restApiName: `valiza-${environment.name}`,
      description: 'Valiza exchange',
      endpointTypes: [EndpointType.REGIONAL],
      // With mutual TLS the default endpoint would be a way around it.
      // https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html
      disableExecuteApiEndpoint: api.mutualTls !== null,
      cloudWatchRole: false,
      deployOptions: {
        stageName: STAGE,
        throttlingRateLimit: api.requestsPerSecond,
        throttlingBurstLimit: api.burst,
        accessLogDestination: new LogGroupLogDestination(accessLog),
        // Ids, codes and times: no path, which may carry what a caller typed, and no address.
        accessLogFormat: AccessLogFormat.custom(
          JSON.stringify({
            requestId: AccessLogField.contextRequestId(),
            time: AccessLogField.contextRequestTimeEpoch(),
            method: AccessLogField.contextHttpMethod(),
            route: AccessLogField.contextResourcePath(),
            status: AccessLogField.contextStatus(),
          }),
        ),
      },
    });
    this.#mayLog();
    this.#gatewayProblems();
    this.#routes(props);
    if (api.mutualTls !== null) this.#domain(api.mutualTls);
    this.#findings();
  }

  /**
   * API Gateway writes logs as a role of the account's settings, of which there is one per account and Region; without it a stage with a log
   * is refused. https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
   */
  #mayLog(): void {
    const role = new Role(this, 'LogRole', {
      assumedBy: new ServicePrincipal('apigateway.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: [
          'logs:CreateLogGroup',
          'logs:CreateLogStream',
          'logs:DescribeLogGroups',
          'logs:DescribeLogStreams',
          'logs:FilterLogEvents',
          'logs:GetLogEvents',
          'logs:PutLogEvents',
        ],
        resources: ['*'],
      }),
    );
    acknowledge(
      role,
      'AwsSolutions-IAM5[Resource::*]',
      'The setting is for the account; API Gateway asks for these actions on every log group.',
    );
    const account = new CfnAccount(this, 'Account', { cloudWatchRoleArn: role.roleArn });
    account.node.addDependency(role);
    this.restApi.deploymentStage.node.addDependency(account);
  }

  #gatewayProblems(): void {
    for (const [type, status, code, detail, next] of GATEWAY_PROBLEMS) {
      const template = JSON.stringify({
        type: `urn:valiza:problem:${code.toLowerCase().replaceAll('_', '-')}`,
        title: detail,
        status: Number(status),
        code,
        detail,
        next,
        traceId: '$context.requestId',
      });
      this.restApi.addGatewayResponse(`Problem${type.responseType}`, {
        type,
        statusCode: status,
        responseHeaders: {
          'Content-Type': "'application/problem+json'",
          'Cache-Control': "'no-store'",
          // The gateway's bucket is refilled all the time, so a second is enough; the gateway itself says nothing of when.
          // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
          ...(['429', '503'].includes(status) ? { 'Retry-After': "'1'" } : {}),
        },
        templates: { 'application/json': template },
      });
    }
  }

  #routes(props: ExchangeApiProps): void {
    const authorizer = new RequestAuthorizer(this, 'Authorizer', {
      handler: props.authenticate,
      identitySources: [IdentitySource.header('Authorization')],
      // Nothing is remembered: a token is verified each time it is shown.
      resultsCacheTtl: Duration.seconds(0),
    });
    const stack = Stack.of(this);
    const integrations = Object.fromEntries(
      Object.entries(props.functions).map(([name, target]) => {
        target.addPermission(`InvokedBy${id(name)}`, {
          principal: new ServicePrincipal('apigateway.amazonaws.com'),
          sourceArn: this.restApi.arnForExecuteApi('*', '/*', STAGE),
        });
        const uri = `arn:${Aws.PARTITION}:apigateway:${stack.region}:lambda:path/2015-03-31/functions/${target.functionArn}/invocations`;
        return [name, new Integration({ type: IntegrationType.AWS_PROXY, integrationHttpMethod: 'POST', uri })];
      }),
    );
    for (const route of Object.values(ROUTES)) {
      const method = this.restApi.root
        .resourceForPath(route.path)
        .addMethod(
          route.method,
          integrations[route.function],
          route.auth === 'caller'
            ? { authorizer, authorizationType: AuthorizationType.CUSTOM }
            : { authorizationType: AuthorizationType.NONE },
        );
      acknowledge(
        method,
        'AwsSolutions-COG4',
        "Callers bring a token of their own nation's identity provider; there is no user pool between nations.",
      );
      if (route.auth === 'none') {
        acknowledge(method, 'AwsSolutions-APIG4', 'Health and the API description say nothing about any case.');
      }
    }
  }

  #domain(mutualTls: NonNullable<Environment['api']['mutualTls']>): void {
    const [bucketName, ...key] = mutualTls.trustStore.slice('s3://'.length).split('/');
    new DomainName(this, 'Domain', {
      domainName: mutualTls.domainName,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', mutualTls.certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
      mtls: { bucket: Bucket.fromBucketName(this, 'TrustStore', bucketName ?? ''), key: key.join('/') },
    }).addBasePathMapping(this.restApi);
  }

  #findings(): void {
    acknowledge(
      this.restApi,
      'AwsSolutions-APIG2',
      'Bodies are validated in the function by the same schemas that make the API description, with a pointer for each fault.',
    );
    acknowledge(
      this.restApi.deploymentStage,
      'AwsSolutions-APIG3',
      'A web application firewall is the choice of the account that deploys; callers are few, known, and in production behind mutual TLS.',
    );
    acknowledge(
      this.restApi.deploymentStage,
      'AwsSolutions-APIG6',
      'Execution logs would carry headers and bodies; the access log carries ids and codes.',
    );
  }
}

const id = (name: string): string => name.replaceAll('-', '');
