import { ServiceError } from '../service.ts';
import { conditionProblem } from './conditions.ts';
import type { PolicyDocument, Statement } from './policy.ts';
import { listOf } from './request-context.ts';
import { unsupportedVariables } from './variables.ts';

/**
 * Where a policy is attached decides which elements it must have: `identity` (role and session policies) has no principal,
 * `resource` (bucket, key, queue) has one, `trust` has a principal and no resource.
 */
export type PolicyKind = 'identity' | 'resource' | 'trust';

/** A policy that AWS would refuse, or that the runtime cannot evaluate; the message names the element. */
export class PolicyProblem extends ServiceError {
  constructor(problem: string) {
    super('MalformedPolicyDocument', problem, 400);
  }
}

const DOCUMENT_KEYS = ['Version', 'Id', 'Statement'];
const STATEMENT_KEYS = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];
const ACTION = /^(\*|[a-z0-9-]+:[a-z0-9*?]+)$/i;
const RESOURCE = /^arn:[^:*?]+:[a-z0-9-]+(:.*)?$/;
const ACCOUNT_PRINCIPAL = /^(\d{12}|arn:aws:iam::\d{12}:root)$/;
const ROLE_PRINCIPAL = /^arn:aws:(iam::\d{12}:role|sts::\d{12}:assumed-role)\/[\w+=,.@/-]+$/;
const SERVICE_PRINCIPAL = /^[a-z0-9.-]+\.amazonaws\.com$/;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function demand(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new PolicyProblem(problem);
}

const onlyKnown = (value: Record<string, unknown>, known: readonly string[], where: string): void => {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  demand(unknown === undefined, `${where} has the unknown element ${unknown}`);
};

const strings = (value: unknown, where: string): readonly string[] => {
  const values = listOf(value);
  demand(
    values.length > 0 && values.every((item) => typeof item === 'string'),
    `${where} must be a string or a list of strings`,
  );
  // Checked just above.
  return values as readonly string[];
};

/** Exactly one of an element and its negation; returns the values. */
function oneOf(statement: Record<string, unknown>, name: string, where: string): readonly string[] {
  const has = name in statement;
  demand(has !== `Not${name}` in statement, `${where} must have either ${name} or Not${name}`);
  return strings(statement[has ? name : `Not${name}`], `${where} ${has ? name : `Not${name}`}`);
}

function checkPrincipal(statement: Record<string, unknown>, kind: PolicyKind, where: string): void {
  const negated = 'NotPrincipal' in statement;
  demand(negated !== 'Principal' in statement, `${where} must have a Principal`);
  // Only with Deny, and not in a trust policy: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
  demand(!negated || (statement['Effect'] === 'Deny' && kind !== 'trust'), `${where} must not have NotPrincipal`);
  const principal = negated ? statement['NotPrincipal'] : statement['Principal'];
  if (principal === '*' && !negated) return;
  demand(isRecord(principal), `${where} Principal must be "*" or an object`);
  onlyKnown(principal, ['AWS', 'Service'], `${where} Principal`);
  for (const [type, value] of Object.entries(principal))
    for (const name of strings(value, `${where} Principal ${type}`)) {
      const known =
        type === 'Service'
          ? SERVICE_PRINCIPAL.test(name)
          : (name === '*' && !negated) || ACCOUNT_PRINCIPAL.test(name) || ROLE_PRINCIPAL.test(name);
      demand(
        known,
        `${where} has the principal ${JSON.stringify({ [type]: name })}, which is malformed or not supported`,
      );
    }
}

function checkConditions(conditions: unknown, where: string): void {
  demand(isRecord(conditions), `${where} Condition must be an object`);
  for (const [operator, keys] of Object.entries(conditions)) {
    demand(isRecord(keys), `${where} Condition ${operator} must be an object`);
    for (const [key, value] of Object.entries(keys)) {
      const values = listOf(value);
      demand(
        values.every((item) => ['string', 'number', 'boolean'].includes(typeof item)),
        `${where} Condition ${operator} ${key} must be text, a number or a boolean, or a list of them`,
      );
      const problem = conditionProblem(operator, values.map(String));
      demand(problem === undefined, `${where}: ${problem}`);
      checkVariables(values.map(String), where);
    }
  }
}

function checkVariables(values: readonly string[], where: string): void {
  const unknown = values.flatMap(unsupportedVariables)[0];
  demand(
    unknown === undefined,
    `${where} uses the policy variable \${${unknown}}, which the local runtime does not fill`,
  );
}

function checkStatement(statement: unknown, kind: PolicyKind, index: number): void {
  demand(isRecord(statement), `statement ${index} must be an object`);
  const where = typeof statement['Sid'] === 'string' ? `statement ${statement['Sid']}` : `statement ${index}`;
  onlyKnown(statement, STATEMENT_KEYS, where);
  demand(
    statement['Effect'] === 'Allow' || statement['Effect'] === 'Deny',
    `${where} must have the Effect Allow or Deny`,
  );
  for (const action of oneOf(statement, 'Action', where))
    demand(ACTION.test(action), `${where} has the malformed action ${JSON.stringify(action)}`);
  if (kind === 'identity')
    demand(!('Principal' in statement || 'NotPrincipal' in statement), `${where} must not have a Principal`);
  else checkPrincipal(statement, kind, where);
  if (kind === 'trust')
    demand(!('Resource' in statement || 'NotResource' in statement), `${where} must not have a Resource`);
  else {
    const resources = oneOf(statement, 'Resource', where);
    for (const resource of resources)
      demand(
        resource === '*' || RESOURCE.test(resource),
        `${where} has the malformed resource ${JSON.stringify(resource)}`,
      );
    checkVariables(resources, where);
  }
  if ('Condition' in statement) checkConditions(statement['Condition'], where);
}

/**
 * Checks that a policy is well formed and that every element of it can be evaluated here.
 * Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @throws {PolicyProblem}
 */
export function validatePolicy(document: unknown, kind: PolicyKind): PolicyDocument {
  demand(isRecord(document), 'the policy must be an object');
  onlyKnown(document, DOCUMENT_KEYS, 'the policy');
  demand(document['Version'] === '2012-10-17', 'the policy must have the Version 2012-10-17');
  const statements = listOf(document['Statement']);
  demand(statements.length > 0, 'the policy must have a Statement');
  statements.forEach((statement, index) => {
    checkStatement(statement, kind, index);
  });
  const sids = statements.flatMap((statement) => (statement as Statement).Sid ?? []);
  demand(new Set(sids).size === sids.length, 'the policy has two statements with one Sid');
  // Every element has been checked above.
  return document as unknown as PolicyDocument;
}
