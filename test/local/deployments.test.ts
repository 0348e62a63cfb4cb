import { CloudFormationClient, DescribeStacksCommand, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Runtime, startRuntime } from '../../local/runtime.ts';
import { synthesise } from '../support/local-application.ts';

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
}
type Resources = Record<string, Resource>;

let scratch: string;
let assembly: string;
let runtime: Runtime;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'local-deployments-'));
  assembly = synthesise(scratch);
  runtime = await startRuntime({ assembly });
}, 60_000);
afterAll(async () => {
  await runtime.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const resourcesOf = (template: Record<string, unknown>): Resources => template['Resources'] as Resources; // as every template has them

const idOf = (resources: Resources, type: string): string =>
  Object.keys(resources).find((id) => resources[id]?.Type === type) ?? '';

/** Deploys the same application with some resources of a stack changed. */
const deploy = (stack: string, change: (resources: Resources) => void): Promise<void> =>
  runtime.deploy({
    assembly,
    amend: (name, template) => {
      if (name === stack) change(resourcesOf(template));
    },
  });

const configuration = (name: string): object => ({
  endpoint: runtime.url,
  region: runtime.region,
  credentials: runtime.credentialsFor(name),
  maxAttempts: 1,
});

async function read(): Promise<string> {
  const client = new DynamoDBClient(configuration('Operator'));
  const command = new GetItemCommand({
    TableName: runtime.outputs['Tiny-Vault']?.['TableName'],
    Key: { id: { S: 'one' } },
  });
  try {
    await client.send(command);
    return 'read';
  } catch (error) {
    return (error as Error).name;
  } finally {
    client.destroy();
  }
}

describe('what is refused before anything is changed', () => {
  const TABLE = 'AWS::DynamoDB::GlobalTable';

  it.each<[string, (resources: Resources) => void, string]>([
    ['a table that is gone', (resources) => delete resources[idOf(resources, TABLE)], 'orphaned'],
    [
      'a table with another key',
      (resources) => {
        const table = resources[idOf(resources, TABLE)];
        if (table !== undefined) table.Properties['TableName'] = 'another';
      },
      'changed',
    ],
    [
      'a table under another id',
      (resources) => {
        const id = idOf(resources, TABLE);
        const table = resources[id];
        delete resources[id];
        if (table !== undefined) resources['Anew'] = table;
      },
      'created',
    ],
    [
      'a resource of another type in its place',
      (resources) => {
        const table = resources[idOf(resources, TABLE)];
        if (table !== undefined) table.Type = 'AWS::CloudWatch::Dashboard';
      },
      'replaced',
    ],
  ])('refuses %s', async (_, change, said) => {
    const before = runtime.outputs['Tiny-Vault'];
    await expect(deploy('Tiny-Vault', change)).rejects.toThrow(new RegExp(`would be ${said}`));
    expect(runtime.outputs['Tiny-Vault']).toBe(before);
    expect(await read()).toBe('read');
  });
});

it('changes policies in place: what is taken away is refused from then on', async () => {
  expect(await read()).toBe('read');
  await deploy('Tiny-Work', (resources) => {
    for (const [id, { Type, Properties }] of Object.entries(resources)) {
      if (Type !== 'AWS::IAM::Policy' || !id.startsWith('OperatorRole')) continue;
      const document = Properties['PolicyDocument'] as { Statement: { Action: string[] }[] };
      for (const statement of document.Statement)
        statement.Action = statement.Action.filter((action) => action !== 'dynamodb:GetItem');
    }
  });
  expect(await read()).toBe('AccessDeniedException');
  await deploy('Tiny-Work', () => undefined);
  expect(await read()).toBe('read');
});

describe('GetTemplate', () => {
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html */
  const ask = async (StackName: string, as = 'Operator'): Promise<unknown> => {
    const client = new CloudFormationClient(configuration(as));
    try {
      const { TemplateBody } = await client.send(new GetTemplateCommand({ StackName }));
      return JSON.parse(TemplateBody ?? '') as unknown;
    } catch (error) {
      return (error as Error).name;
    } finally {
      client.destroy();
    }
  };
  const allowed = (resources: Resources): void => {
    for (const [id, { Type, Properties }] of Object.entries(resources)) {
      if (Type !== 'AWS::IAM::Policy' || !id.startsWith('OperatorRole')) continue;
      const document = Properties['PolicyDocument'] as { Statement: object[] };
      const Resource = 'arn:aws:cloudformation:ca-central-1:*:stack/Tiny-*/*';
      document.Statement.push({ Effect: 'Allow', Action: 'cloudformation:GetTemplate', Resource });
    }
  };

  it('refuses whoever may not, also for a stack that does not exist', async () => {
    await deploy('Tiny-Work', () => undefined);
    expect(await ask('Tiny-Vault')).toBe('AccessDenied');
    expect(await ask('None')).toBe('AccessDenied');
  });

  it('answers what was last deployed, and refuses what does not exist', async () => {
    await deploy('Tiny-Work', allowed);
    expect(await ask('Tiny-None')).toBe('ValidationError');
    expect(await ask('not a name')).toBe('ValidationError');
    const { Resources } = (await ask('Tiny-Work')) as { Resources: Resources };
    expect(JSON.stringify(Resources)).toContain('cloudformation:GetTemplate');
  });

  it('implements nothing else', async () => {
    const client = new CloudFormationClient(configuration('Operator'));
    await expect(client.send(new DescribeStacksCommand({}))).rejects.toMatchObject({ name: 'NotImplemented' });
    client.destroy();
  });
});
