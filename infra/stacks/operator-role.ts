import type { Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { operatorRoleName } from '../../lambdas/contracts/names.ts';
import type { Environment } from '../environments/schema.ts';

/** The role of those who run the exchange: it asks one function, and has the canary run where there is one. Whoever the account's own policies allow may assume it. */
export function operatorRole(stack: Stack, environment: Environment, invoked: readonly IFunction[]): Role {
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
  return role;
}
