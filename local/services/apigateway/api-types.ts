import * as z from 'zod';
import type { Created, ResourceType } from '../../resource.ts';
import { notImplemented } from '../../service.ts';
import { booleanProperty, inertProperty, numberProperty, resourceType, tagsProperty } from '../template-properties.ts';
import { type ApiResource, type Authorizer, found, type RestApi, shortId } from './api-model.ts';
import { isGatewayResponseType } from './gateway-failure.ts';
import { assertRenderable } from './gateway-response.ts';

export type Apis = Map<string, RestApi>;

const withId = (id: string, attribute: string): Created => ({ ref: id, attributes: { [attribute]: id } });

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html */
const restApiProperties = z.strictObject({
  Name: z.string(),
  Description: inertProperty,
  DisableExecuteApiEndpoint: booleanProperty.optional(),
  EndpointConfiguration: inertProperty,
  MinimumCompressionSize: inertProperty,
  Tags: tagsProperty,
});

const restApi = (apis: Apis): ResourceType =>
  resourceType('AWS::ApiGateway::RestApi', restApiProperties, (properties, context) => {
    const id = shortId(context.stackName, context.logicalId);
    const rootId = shortId(id, 'root');
    const root: ApiResource = { id: rootId, parentId: undefined, pathPart: '', methods: new Map() };
    const api: RestApi = {
      id,
      rootId,
      defaultEndpoint: properties.DisableExecuteApiEndpoint !== true,
      resources: new Map([[rootId, root]]),
      authorizers: new Map(),
      gatewayResponses: new Map(),
      validators: new Map(),
    };
    apis.set(id, api);
    return { ref: id, attributes: { RestApiId: id, RootResourceId: rootId } };
  });

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-resource.html */
const resourceProperties = z.strictObject({
  RestApiId: z.string(),
  ParentId: z.string(),
  PathPart: z.string().regex(/^([\w.:-]+|\{[\w.:-]+\+?\})$/),
});

const resource = (apis: Apis): ResourceType =>
  resourceType('AWS::ApiGateway::Resource', resourceProperties, ({ RestApiId, ParentId, PathPart }) => {
    const api = found(apis.get(RestApiId), 'REST API');
    const parent = found(api.resources.get(ParentId), 'Resource');
    // Reserved for health checks. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
    if (ParentId === api.rootId && (PathPart === 'ping' || PathPart === 'sping'))
      throw notImplemented(`/${PathPart}, which API Gateway reserves on a custom domain`);
    if (parent.pathPart.endsWith('+}')) throw notImplemented(`a resource below the greedy ${parent.pathPart}`);
    const id = shortId(api.id, ParentId, PathPart);
    api.resources.set(id, { id, parentId: ParentId, pathPart: PathPart, methods: new Map() });
    return withId(id, 'ResourceId');
  });

const functionUri = z
  .string()
  .regex(/^arn:aws:apigateway:[^:]+:lambda:path\/2015-03-31\/functions\/(arn:aws:lambda:.+)\/invocations$/)
  .transform((uri) => uri.replace(/^.*\/functions\//, '').replace(/\/invocations$/, ''));

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-method.html */
const methodProperties = z.strictObject({
  RestApiId: z.string(),
  ResourceId: z.string(),
  HttpMethod: z.enum(['ANY', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']),
  AuthorizationType: z.enum(['NONE', 'CUSTOM']).default('NONE'),
  AuthorizerId: z.string().optional(),
  ApiKeyRequired: booleanProperty.pipe(z.literal(false)).optional(),
  Integration: z.strictObject({
    Type: z.literal('AWS_PROXY'),
    IntegrationHttpMethod: z.literal('POST'),
    Uri: functionUri,
    TimeoutInMillis: numberProperty.pipe(z.number().min(50).max(29_000)).default(29_000),
    // For a proxy integration there is nothing to pass through or to map.
    PassthroughBehavior: inertProperty,
  }),
  RequestParameters: z
    .record(z.string().regex(/^method\.request\.(header|querystring|path)\../), booleanProperty)
    .default({}),
  RequestValidatorId: z.string().optional(),
  MethodResponses: inertProperty,
  OperationName: inertProperty,
});

const method = (apis: Apis): ResourceType =>
  resourceType('AWS::ApiGateway::Method', methodProperties, (properties, context) => {
    const api = found(apis.get(properties.RestApiId), 'REST API');
    const holder = found(api.resources.get(properties.ResourceId), 'Resource');
    const custom = properties.AuthorizationType === 'CUSTOM';
    const validator =
      properties.RequestValidatorId && found(api.validators.get(properties.RequestValidatorId), 'Validator');
    const required = Object.entries(properties.RequestParameters).flatMap(([name, needed]) => (needed ? [name] : []));
    holder.methods.set(properties.HttpMethod, {
      authorizer: custom ? found(api.authorizers.get(properties.AuthorizerId ?? ''), 'authorizer') : undefined,
      functionArn: properties.Integration.Uri,
      timeoutMs: properties.Integration.TimeoutInMillis,
      requiredParameters: validator && validator.validatesParameters ? required : [],
    });
    return { ref: context.physicalName(), attributes: {} };
  });

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-authorizer.html */
const authorizerProperties = z.strictObject({
  RestApiId: z.string(),
  Name: z.string(),
  Type: z.literal('REQUEST'),
  AuthorizerUri: functionUri,
  /** Caching is on by default, and is not implemented. */
  AuthorizerResultTtlInSeconds: numberProperty.pipe(z.literal(0)),
  IdentitySource: z.string().optional(),
});

const authorizer = (apis: Apis): ResourceType =>
  resourceType('AWS::ApiGateway::Authorizer', authorizerProperties, (properties) => {
    const api = found(apis.get(properties.RestApiId), 'REST API');
    const created: Authorizer = {
      id: shortId(api.id, 'authorizer', properties.Name),
      name: properties.Name,
      functionArn: properties.AuthorizerUri,
      identitySource: (properties.IdentitySource ?? '').split(',').flatMap((source) => source.trim() || []),
    };
    const unknown = created.identitySource.find(
      (source) => !/^(method\.request\.(header|querystring)|context)\../.test(source),
    );
    if (unknown !== undefined) throw notImplemented(`the identity source ${unknown}`);
    api.authorizers.set(created.id, created);
    return withId(created.id, 'AuthorizerId');
  });

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-gatewayresponse.html */
const gatewayResponseProperties = z.strictObject({
  RestApiId: z.string(),
  ResponseType: z.string().refine(isGatewayResponseType, 'unknown response type'),
  StatusCode: numberProperty.optional(),
  ResponseParameters: z.record(z.string().regex(/^gatewayresponse\.header\../), z.string()).default({}),
  ResponseTemplates: z.record(z.string(), z.string()).default({}),
});

const gatewayResponse = (apis: Apis): ResourceType =>
  resourceType('AWS::ApiGateway::GatewayResponse', gatewayResponseProperties, (properties) => {
    const api = found(apis.get(properties.RestApiId), 'REST API');
    const headers = Object.entries(properties.ResponseParameters).map(([name, value]) => [
      name.replace('gatewayresponse.header.', ''),
      value,
    ]);
    const response = {
      statusCode: properties.StatusCode,
      headers: Object.fromEntries(headers),
      templates: properties.ResponseTemplates,
    };
    assertRenderable(response);
    api.gatewayResponses.set(properties.ResponseType, response);
    return withId(shortId(api.id, properties.ResponseType), 'Id');
  });

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-requestvalidator.html */
const validatorProperties = z.strictObject({
  RestApiId: z.string(),
  Name: z.string().optional(),
  /** Without a model, which no method here can have, there is nothing to validate a body against. */
  ValidateRequestBody: booleanProperty.optional(),
  ValidateRequestParameters: booleanProperty.default(false),
});

const requestValidator = (apis: Apis): ResourceType =>
  resourceType('AWS::ApiGateway::RequestValidator', validatorProperties, (properties, context) => {
    const api = found(apis.get(properties.RestApiId), 'REST API');
    const id = shortId(api.id, 'validator', context.logicalId);
    api.validators.set(id, { validatesParameters: properties.ValidateRequestParameters });
    return withId(id, 'RequestValidatorId');
  });

const account = resourceType(
  'AWS::ApiGateway::Account',
  z.strictObject({ CloudWatchRoleArn: inertProperty }),
  (_, context): Created => withId(shortId(context.stackName, context.logicalId), 'Id'),
);

/** What an API consists of; {@link stageTypes} deploy it. */
export const apiTypes = (apis: Apis): ResourceType[] => [
  restApi(apis),
  resource(apis),
  method(apis),
  authorizer(apis),
  gatewayResponse(apis),
  requestValidator(apis),
  account,
];
