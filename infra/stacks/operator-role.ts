import { Aws, type Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { operatorRoleName } from '../../lambdas/contracts/names.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import type { Environment } from '../environments/schema.ts';

const stackArn = (stack: Stack, name: string): string =>
  `arn:${Aws.PARTITION}:cloudformation:${stack.region}:${stack.account}:stack/${name}/*`;

/**
 * The role of those who run the exchange: it asks one function, has the canary run where there is one, and reads what is deployed. Whoever
 * the account's own policies allow may assume it.
 */
export function operatorRole(
  stack: Stack,
  environment: Environment,
  invoked: readonly IFunction[],
  stacks: readonly string[],
): Role {
  const role = new Role(stack, 'OperatorRole', {
    // Named, so that a profile can name it before the exchange is there.
    roleName: operatorRoleName(environment.name),
    description: 'Operators of the exchange: ids, counts and dates, never content',
    assumedBy: new AccountRootPrincipal(),
  });
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['lambda:InvokeFunction'],
      resources: invoked.map((each) => each.functionArn),
    }),
  );
  // What is deployed, to compare the next release with; a template holds names and settings, and no case.
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['cloudformation:GetTemplate'],
      resources: stacks.map((name) => stackArn(stack, name)),
    }),
  );
  for (const name of stacks) {
    const shown = stackArn(stack, name).replace(Aws.PARTITION, '<AWS::Partition>');
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::${shown}]`,
      'The last part of a stack’s ARN is chosen by the service.',
    );
  }
  return role;
}
