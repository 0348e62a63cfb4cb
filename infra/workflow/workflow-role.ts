import type { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal, type IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { acknowledge } from '../constructs/acknowledge.ts';

/** The role of the workflow: invokes its steps, encrypts its data, delivers its log. Nothing adds to it behind our back. */
export function workflowRole(stack: Stack, steps: readonly IFunction[], key: IKey, stateMachineArn: string): IRole {
  const role = new Role(stack, 'WorkflowRole', {
    assumedBy: new ServicePrincipal('states.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': stack.account },
        ArnLike: { 'aws:SourceArn': stateMachineArn },
      },
    }),
  });
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['lambda:InvokeFunction'],
      // Every version of exactly these, and never one that can change: a policy that named the versions of its own release would leave
      // running executions without their functions at the next (https://github.com/aws/aws-cdk/issues/17515).
      resources: steps.map((step) => `${step.functionArn}:*`),
    }),
  );
  for (const step of steps) {
    const { 'Fn::GetAtt': attribute } = stack.resolve(step.functionArn) as { 'Fn::GetAtt': string[] }; // of a function of this stack
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::<${attribute.join('.')}>:*]`,
      'The published versions of this one function: executions keep the version that they began with.',
    );
  }
  role.addToPrincipalPolicy(
    new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] }),
  );
  // https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html: delivery of logs is granted for the account.
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: [
        'logs:CreateLogDelivery',
        'logs:DeleteLogDelivery',
        'logs:DescribeLogGroups',
        'logs:DescribeResourcePolicies',
        'logs:GetLogDelivery',
        'logs:ListLogDeliveries',
        'logs:PutResourcePolicy',
        'logs:UpdateLogDelivery',
      ],
      resources: ['*'],
    }),
  );
  acknowledge(
    role,
    'AwsSolutions-IAM5[Resource::*]',
    'Log delivery is granted for the account; the service has no narrower resource.',
  );
  return role.withoutPolicyUpdates();
}
