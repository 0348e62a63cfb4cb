import { App, CfnOutput, Duration, RemovalPolicy, Stack, Stage } from 'aws-cdk-lib';
import { AttributeType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { DefinitionBody, QueryLanguage, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { buildSync } from 'esbuild';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A handler with the real SDK: puts one item into its table and answers what it put. */
const HANDLER = `
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
const client = new DynamoDBClient({ maxAttempts: 1 });
export const handler = async ({ id }) => {
  await client.send(new PutItemCommand({ TableName: process.env.TABLE, Item: { id: { S: id } } }));
  return { stored: id, at: Date.now() };
};
`;

const REPOSITORY = join(__dirname, '..', '..');

function bundle(directory: string): string {
  const code = join(directory, 'code');
  mkdirSync(code, { recursive: true });
  const entry = join(directory, 'handler.mjs');
  writeFileSync(entry, HANDLER);
  buildSync({
    entryPoints: [entry],
    outfile: join(code, 'index.js'),
    nodePaths: [join(REPOSITORY, 'node_modules')],
    absWorkingDir: REPOSITORY,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'error',
  });
  return code;
}

/** The flags that the application itself is synthesised with. */
const flags = (): Record<string, unknown> =>
  (JSON.parse(readFileSync(join(REPOSITORY, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> }).context;

/**
 * Synthesises a tiny application of two stacks in a stage: a table under a customer key; a function that writes to it, and a state machine
 * that calls the function; a role `Outsider` without permissions.
 * @returns the directory of the assembly
 */
export function synthesise(directory: string): string {
  const app = new App({ outdir: join(directory, 'cdk.out'), context: flags(), analyticsReporting: false });
  const stage = new Stage(app, 'Tiny', { env: { region: 'ca-central-1' } });
  const vault = new Stack(stage, 'Vault');
  const key = new Key(vault, 'Key', { alias: 'alias/tiny', removalPolicy: RemovalPolicy.DESTROY });
  const table = new TableV2(vault, 'Items', {
    partitionKey: { name: 'id', type: AttributeType.STRING },
    encryption: TableEncryptionV2.customerManagedKey(key),
  });
  const work = new Stack(stage, 'Work');
  const role = new Role(work, 'StoreRole', {
    roleName: 'Store',
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
  });
  const store = new LambdaFunction(work, 'Store', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromAsset(bundle(directory)),
    environment: { TABLE: table.tableName },
    timeout: Duration.seconds(20),
    role,
  });
  role.addToPolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      sid: 'Write',
      actions: ['dynamodb:PutItem'],
      resources: [table.tableArn],
    }),
  );
  role.addToPolicy(new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: ['*'] }));
  key.grantEncryptDecrypt(role);
  const machine = new StateMachine(work, 'Machine', {
    queryLanguage: QueryLanguage.JSONATA,
    definitionBody: DefinitionBody.fromChainable(
      LambdaInvoke.jsonata(work, 'store the item', {
        lambdaFunction: store,
        outputs: '{% $states.result.Payload %}',
        retryOnServiceExceptions: false,
      }),
    ),
  });
  const outsider = new Role(work, 'OutsiderRole', {
    roleName: 'Outsider',
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
  });
  const operator = new Role(work, 'OperatorRole', {
    roleName: 'Operator',
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
  });
  operator.addToPolicy(
    new PolicyStatement({
      actions: ['states:StartExecution', 'states:DescribeExecution', 'dynamodb:GetItem', 'kms:Decrypt'],
      resources: ['*'],
    }),
  );
  new CfnOutput(work, 'MachineArn', { value: machine.stateMachineArn });
  new CfnOutput(work, 'OutsiderArn', { value: outsider.roleArn });
  new CfnOutput(vault, 'TableName', { value: table.tableName });
  return app.synth().directory;
}
