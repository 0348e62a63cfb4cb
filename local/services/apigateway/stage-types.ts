import * as z from 'zod';
import type { ResourceType } from '../../resource.ts';
import { type Host, notImplemented } from '../../service.ts';
import { booleanProperty, inertProperty, numberProperty, resourceType, tagsProperty } from '../template-properties.ts';
import { found, type GatewayResponse, shortId } from './api-model.ts';
import type { Apis } from './api-types.ts';
import type { ServedStage } from './request-context.ts';
import { type Router, routerOf } from './routes.ts';
import { ACCOUNT_LIMIT, type Limit, Throttle } from './throttle.ts';

/** An API as it was when it was deployed. */
export interface Deployment {
  readonly id: string;
  readonly apiId: string;
  readonly router: Router;
  readonly gatewayResponses: ReadonlyMap<string, GatewayResponse>;
}

/** What answers at the root of the port. */
export interface Stage extends ServedStage {
  /** Whether the API answers under its own name as well. */
  readonly defaultEndpoint: boolean;
  readonly deployment: Deployment;
  /** The throttle for a method of a resource, or of the stage. */
  readonly throttleFor: (httpMethod: string, resourcePath: string) => Throttle;
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html */
const deploymentProperties = z.strictObject({ RestApiId: z.string(), Description: inertProperty });

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-stage-methodsetting.html */
const methodSetting = z.strictObject({
  ResourcePath: z.string(),
  HttpMethod: z.string(),
  ThrottlingRateLimit: numberProperty.optional(),
  ThrottlingBurstLimit: numberProperty.optional(),
  CachingEnabled: booleanProperty.pipe(z.literal(false)).optional(),
  DataTraceEnabled: inertProperty,
  LoggingLevel: inertProperty,
  MetricsEnabled: inertProperty,
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html */
const stageProperties = z.strictObject({
  RestApiId: z.string(),
  DeploymentId: z.string(),
  StageName: z.string().regex(/^[\w-]{1,128}$/),
  MethodSettings: z.array(methodSetting).default([]),
  AccessLogSetting: inertProperty,
  Description: inertProperty,
  TracingEnabled: inertProperty,
  Tags: tagsProperty,
});

/** Deployments and the one stage. @param serve called with the stage once it is created */
export function stageTypes(host: Host, apis: Apis, serve: (stage: Stage) => void): ResourceType[] {
  const deployments = new Map<string, Deployment>();
  const deployment = resourceType('AWS::ApiGateway::Deployment', deploymentProperties, ({ RestApiId }, context) => {
    const api = found(apis.get(RestApiId), 'REST API');
    const id = shortId(api.id, context.logicalId);
    deployments.set(id, { id, apiId: api.id, router: routerOf(api), gatewayResponses: new Map(api.gatewayResponses) });
    return { ref: id, attributes: { DeploymentId: id } };
  });
  let served = false;
  const stage = resourceType('AWS::ApiGateway::Stage', stageProperties, (properties) => {
    const api = found(apis.get(properties.RestApiId), 'REST API');
    const deployed = found(deployments.get(properties.DeploymentId), 'Deployment');
    if (deployed.apiId !== properties.RestApiId) throw notImplemented('a stage with the deployment of another API');
    if (served) throw notImplemented('more than one stage: all would answer at the same address');
    served = true;
    serve({
      account: host.account,
      region: host.region,
      apiId: deployed.apiId,
      stageName: properties.StageName,
      deploymentId: deployed.id,
      deployment: deployed,
      defaultEndpoint: api.defaultEndpoint,
      throttleFor: throttlesOf(properties.MethodSettings, host.clock.now()),
    });
    return { ref: properties.StageName, attributes: {} };
  });
  return [deployment, stage];
}

/**
 * One bucket for what the stage's settings (`*` of `/*`) cover, and one for each method that has settings of its own.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
 */
function throttlesOf(settings: readonly z.output<typeof methodSetting>[], now: number): Stage['throttleFor'] {
  const byMethod = new Map<string, Throttle>();
  for (const setting of settings) {
    const limit = limitOf(setting);
    if (limit !== undefined)
      byMethod.set(`${setting.HttpMethod} ${decodePath(setting.ResourcePath)}`, new Throttle(limit, now));
  }
  const rest = byMethod.get('* /*') ?? new Throttle(ACCOUNT_LIMIT, now);
  return (httpMethod, resourcePath) =>
    byMethod.get(`${httpMethod} ${resourcePath}`) ?? byMethod.get(`* ${resourcePath}`) ?? rest;
}

/** `/~1v1~1cases` stands for `/v1/cases`. */
const decodePath = (path: string): string => {
  const decoded = path.replaceAll('~1', '/').replace(/^\/\//, '/');
  return decoded === '' ? '/' : decoded;
};

function limitOf(setting: z.output<typeof methodSetting>): Limit | undefined {
  const { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst } = setting;
  if (rate === undefined && burst === undefined) return undefined;
  // -1 switches a limit of the stage off: the account's remain.
  const orAccount = (value: number | undefined, limit: number): number =>
    value === undefined || value < 0 ? limit : value;
  return { rate: orAccount(rate, ACCOUNT_LIMIT.rate), burst: orAccount(burst, ACCOUNT_LIMIT.burst) };
}
