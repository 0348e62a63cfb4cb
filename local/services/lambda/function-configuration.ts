import { devNull } from 'node:os';
import * as z from 'zod';
import type { ResourceContext } from '../../resource.ts';
import { type Host, ServiceError } from '../../service.ts';
import { inertProperty, numberProperty, tagsProperty } from '../template-properties.ts';

const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;

const environmentProperty = z.strictObject({
  Variables: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).optional(),
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html */
export const functionProperties = z.strictObject({
  /** The loader has put the directory of the asset in the place of bucket and key. */
  Code: z.strictObject({ LocalPath: z.string() }),
  FunctionName: z.string().optional(),
  Handler: z.string(),
  Role: z.string(),
  Runtime: z.literal('nodejs24.x'),
  Timeout: numberProperty.pipe(z.number().int().min(1).max(900)).default(3),
  MemorySize: numberProperty.pipe(z.number().int().min(128).max(10_240)).default(128),
  Environment: environmentProperty.optional(),
  KmsKeyArn: z.string().optional(),
  ReservedConcurrentExecutions: numberProperty.pipe(z.number().int().min(0)).optional(),
  LoggingConfig: z
    .strictObject({
      LogFormat: z.enum(['Text', 'JSON']).optional(),
      ApplicationLogLevel: z.enum(LOG_LEVELS).optional(),
      SystemLogLevel: inertProperty,
      LogGroup: z.string().optional(),
    })
    .optional(),
  RecursiveLoop: z.enum(['Terminate', 'Allow']).optional(),
  Architectures: inertProperty,
  Description: inertProperty,
  EphemeralStorage: inertProperty,
  TracingConfig: inertProperty,
  Tags: tagsProperty,
});

/** A function as the template describes it. */
export interface FunctionConfiguration {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly codeDirectory: string;
  readonly handler: string;
  readonly runtime: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly kmsKeyArn: string | undefined;
  readonly reservedConcurrency: number | undefined;
  readonly logFormat: 'Text' | 'JSON';
  /** Below this, lines are dropped. */
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logGroup: string;
}

/** Reads the properties; throws `InvalidParameterValueException` for what Lambda refuses at creation. */
export function configurationOf(
  properties: z.output<typeof functionProperties>,
  context: ResourceContext,
): FunctionConfiguration {
  const name = properties.FunctionName ?? context.physicalName(64);
  const variables = properties.Environment?.Variables ?? {};
  assertVariables(variables);
  const logging = properties.LoggingConfig;
  return {
    name,
    arn: `arn:aws:lambda:${context.host.region}:${context.host.account}:function:${name}`,
    roleArn: properties.Role,
    codeDirectory: properties.Code.LocalPath,
    handler: properties.Handler,
    runtime: properties.Runtime,
    timeoutSeconds: properties.Timeout,
    memoryMb: properties.MemorySize,
    variables,
    kmsKeyArn: properties.KmsKeyArn,
    reservedConcurrency: properties.ReservedConcurrentExecutions,
    logFormat: logging?.LogFormat ?? 'Text',
    // Text has no level of its own: everything is written.
    logLevel: logging?.LogFormat === 'JSON' ? (logging.ApplicationLogLevel ?? 'INFO') : 'TRACE',
    logGroup: logging?.LogGroup ?? `/aws/lambda/${name}`,
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const RESERVED_VARIABLES = new Set(
  '_HANDLER _X_AMZN_TRACE_ID AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_LAMBDA_RUNTIME_API LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR'.split(
    ' ',
  ),
);

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LARGEST_ENVIRONMENT = 4096;

function assertVariables(variables: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(variables).filter((name) => RESERVED_VARIABLES.has(name));
  const refusal =
    reserved.length > 0
      ? `contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`
      : Buffer.byteLength(JSON.stringify(variables)) > LARGEST_ENVIRONMENT
        ? 'exceeded the 4KB limit.'
        : undefined;
  if (refusal !== undefined)
    throw new ServiceError(
      'InvalidParameterValueException',
      `Lambda was unable to configure your environment variables because the environment variables you have provided ${refusal}`,
    );
}

export interface InstanceCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** Everything that an instance finds in `process.env`: what Lambda sets, the runtime's address, and the template's variables. */
export function instanceEnvironment(
  configuration: FunctionConfiguration,
  version: string,
  credentials: InstanceCredentials,
  host: Pick<Host, 'region' | 'endpoint'>,
): Record<string, string> {
  return {
    ...configuration.variables,
    AWS_REGION: host.region,
    AWS_DEFAULT_REGION: host.region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${configuration.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: configuration.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(configuration.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: version,
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: configuration.logFormat,
    ...(configuration.logFormat === 'JSON' && { AWS_LAMBDA_LOG_LEVEL: configuration.logLevel }),
    AWS_LAMBDA_LOG_GROUP_NAME: configuration.logGroup,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_ENDPOINT_URL: host.endpoint(),
    // The developer's own profile must not reach the clients inside a function.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    LAMBDA_TASK_ROOT: configuration.codeDirectory,
    _HANDLER: configuration.handler,
    TZ: ':UTC',
  };
}
