import type { Credentials } from './iam/sessions.ts';
import type { Roles } from './iam/roles.ts';
import type { Sessions } from './iam/sessions.ts';
import type { RoleCallerFor } from './ports.ts';
import type { ResourceType } from './resource.ts';
import type { Host, Service } from './service.ts';
import { ApiGateway, type ClientCertificate } from './services/apigateway/api-gateway.ts';
import { CloudFormationService, type Stacks } from './services/cloudformation/service.ts';
import { DynamoDbService } from './services/dynamodb/service.ts';
import { EventsService } from './services/events/events-service.ts';
import { KmsService } from './services/kms/service.ts';
import { LambdaApi } from './services/lambda/lambda-api.ts';
import { LambdaService } from './services/lambda/lambda-service.ts';
import { S3Service } from './services/s3/service.ts';
import { SesService } from './services/ses/ses-service.ts';
import { SqsService } from './services/sqs/sqs-service.ts';
import { StatesService } from './services/states/states-service.ts';
import { StsService } from './services/sts/service.ts';

/** Every emulated service, by the name that the runtime gives it. */
export interface ServiceSet {
  readonly dynamodb: DynamoDbService;
  readonly states: StatesService;
  readonly kms: KmsService;
  readonly s3: S3Service;
  readonly lambda: LambdaService;
  readonly lambdaApi: LambdaApi;
  readonly events: EventsService;
  readonly sqs: SqsService;
  readonly ses: SesService;
  readonly sts: StsService;
  readonly api: ApiGateway;
  readonly cloudformation: CloudFormationService;
}

export interface IdentityParts {
  /** What clients of the API show in mutual TLS; nothing unless told. */
  readonly clientCertificate?: ClientCertificate | undefined;
  readonly roles: Roles;
  readonly sessions: Sessions;
  readonly roleCaller: RoleCallerFor;
  readonly credentialsFor: (roleArn: string, sessionName: string) => Credentials;
}

/**
 * Creates the services and joins those that call each other.
 * @throws DataDirectoryProblem when the state of one cannot be read; nothing is left open then
 */
export async function createServices(host: Host, identity: IdentityParts, stacks: Stacks): Promise<ServiceSet> {
  const kms = new KmsService(host, (arn) => identity.roles.find(arn)?.arn === arn);
  const dynamodb = new DynamoDbService(host, kms);
  try {
    await dynamodb.opened();
    return join(host, identity, stacks, kms, dynamodb);
  } catch (error) {
    await dynamodb.stop();
    throw error;
  }
}

function join(
  host: Host,
  identity: IdentityParts,
  stacks: Stacks,
  kms: KmsService,
  dynamodb: DynamoDbService,
): ServiceSet {
  const { roles, sessions, roleCaller, credentialsFor, clientCertificate } = identity;
  const exists = (arn: string): boolean => roles.find(arn)?.arn === arn;
  const sqs = new SqsService(host, kms);
  const stream = (arn: string): ReturnType<DynamoDbService['stream']> => dynamodb.stream(arn);
  // The API calls functions, and functions call the API.
  const apiName = (): string | undefined => api.hostName();
  const lambda = new LambdaService(host, { credentialsFor, roleCaller, keys: kms, stream, queue: sqs, apiName });
  const api = new ApiGateway(host, { functions: lambda, clientCertificate });
  const events = new EventsService(host, { functions: lambda, queue: sqs, keys: kms });
  return {
    kms,
    dynamodb,
    sqs,
    lambda,
    lambdaApi: new LambdaApi(host, lambda),
    events,
    s3: new S3Service(host, kms, exists),
    ses: new SesService(host, events.publish),
    states: new StatesService(host, { functions: lambda, keys: kms, roleCaller, publish: events.publish }),
    sts: new StsService(host, roles, sessions),
    api,
    cloudformation: new CloudFormationService(host, stacks),
  };
}

/** Those that answer signed calls. */
export const signedServices = (set: ServiceSet): readonly Service[] => [
  set.dynamodb,
  set.states,
  set.kms,
  set.s3,
  set.lambdaApi,
  set.events,
  set.sqs,
  set.ses,
  set.sts,
  set.cloudformation,
];

/** What their templates may contain. */
export const resourceTypesOf = (set: ServiceSet): readonly ResourceType[] =>
  [set.dynamodb, set.states, set.kms, set.s3, set.lambda, set.events, set.sqs, set.ses, set.api].flatMap(
    ({ types }) => types,
  );
