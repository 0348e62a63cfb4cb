import { Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { functionNameIn, type ENV } from '../../lambdas/contracts/names.ts';
import type { Environment } from '../environments/schema.ts';
import { FUNCTIONS, type FunctionName, type FunctionSpec } from '../functions.ts';
import { acknowledge } from './acknowledge.ts';
import { codeOf } from './bundle.ts';

/** Values of environment variables, by name. */
export type EnvironmentValues = Readonly<Partial<Record<(typeof ENV)[keyof typeof ENV], string>>>;

interface ExchangeFunctionProps {
  readonly name: FunctionName;
  readonly environment: Environment;
  readonly vaultKey: IKey;
  readonly values: EnvironmentValues;
  /** A role of the vault, for a function that a key policy names; otherwise the function gets one of its own. */
  readonly role?: Role;
  readonly reservedConcurrency?: number;
  /** Directory of the bundles; without, a placeholder is packed. */
  readonly bundles?: string | undefined;
}

/** A function with the house's settings: its own role with nothing but its own log, encrypted log and environment, the same code as on the laptop. */
export class ExchangeFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: ExchangeFunctionProps) {
    super(scope, id);
    const spec: FunctionSpec = FUNCTIONS[props.name];
    const functionName = functionNameIn(props.environment.name, props.name);
    const logGroupName = `/aws/lambda/${functionName}`;
    const stack = Stack.of(this);
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName,
      encryptionKey: props.vaultKey,
      retention: props.environment.logDays as RetentionDays, // the enumeration's values are days
      removalPolicy: props.environment.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.role = props.role ?? functionRole(this, 'Role');
    this.role.addToPrincipalPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [
          `arn:${Aws.PARTITION}:logs:${stack.region}:${stack.account}:log-group:${logGroupName}:log-stream:*`,
        ],
      }),
    );
    acknowledge(
      this.role,
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:${stack.region}:${stack.account}:log-group:${logGroupName}:log-stream:*]`,
      'The streams of this one log group; the service names them.',
    );
    this.function = new LambdaFunction(this, 'Function', {
      functionName,
      description: spec.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(codeOf(props.name, props.bundles)),
      role: this.role,
      memorySize: spec.memoryMb,
      timeout: Duration.seconds(spec.timeoutSeconds),
      loggingFormat: LoggingFormat.JSON,
      logGroup,
      environmentEncryption: props.vaultKey,
      environment: this.#values(props, spec),
      // A version stays when a release takes its place: executions that began with it still invoke it (docs/upgrade.md).
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
      ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
  }

  /** Exactly the variables that the function's code reads; one without a value stops the synthesis. */
  #values(props: ExchangeFunctionProps, spec: FunctionSpec): Record<string, string> {
    return Object.fromEntries(
      spec.environment.map((name) => {
        const value = props.values[name];
        if (value === undefined)
          throw new Error(`Function ${props.name} reads ${name}, and the stack has no value for it.`);
        return [name, value];
      }),
    );
  }
}

/** A role that only Lambda may assume, with nothing allowed yet. */
export const functionRole = (scope: Construct, id: string): Role =>
  new Role(scope, id, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
