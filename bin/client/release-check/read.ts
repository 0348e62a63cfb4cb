import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClientError, codeOf, usage } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { asOperator, type Operator } from '../operator.ts';
import { STACKS, type Release, type StackName, type Template } from './template.ts';

const stackName = (environment: string, stack: StackName): string => `valiza-${environment}-${stack}`;

function parsed(text: string, what: string): Template {
  try {
    const template = JSON.parse(text) as Template | null;
    if (typeof template?.Resources === 'object') return template;
  } catch {
    // Said below.
  }
  throw new ClientError(
    EXIT.failed,
    'NOT_A_TEMPLATE',
    `${what} is not a template in JSON with resources.`,
    'Deploy and compare what cdk synth writes.',
  );
}

/** The release that is deployed. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html */
export async function deployedRelease(operator: Operator): Promise<Release> {
  const { CloudFormationClient, GetTemplateCommand } = await import('@aws-sdk/client-cloudformation');
  const client = new CloudFormationClient(operator.aws);
  const read = async (stack: StackName): Promise<Template> => {
    const StackName = stackName(operator.environment, stack);
    const { TemplateBody } = await asOperator(operator, client.send(new GetTemplateCommand({ StackName })));
    return parsed(TemplateBody ?? '', `What is deployed as ${StackName}`);
  };
  try {
    const [vault, exchange] = await Promise.all(STACKS.map(read));
    return { vault, exchange } as Release; // one template for each of the two
  } finally {
    client.destroy();
  }
}

/** The release that an assembly holds. @param directory as cdk synth writes it @throws ClientError (2) when it is of another environment, or none */
export async function nextRelease(directory: string, environment: string): Promise<Release> {
  const read = async (stack: StackName): Promise<Template> => {
    const file = join(directory, `${stackName(environment, stack)}.template.json`);
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
      throw usage(
        `There is no ${file}.`,
        `Synthesise the release first: npm run synth -- -c env=${environment}, which writes cdk.out.`,
      );
    });
    return parsed(text, file);
  };
  const [vault, exchange] = await Promise.all(STACKS.map(read));
  return { vault, exchange } as Release; // one template for each of the two
}
