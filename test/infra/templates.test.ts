import { ENVIRONMENTS } from '../../infra/environments/choose.ts';
import { templatesOf } from '../support/synthesise.ts';
import type { Templates } from '../support/template.ts';
import { attacksOn } from './attacks.ts';
import { differencesBetween } from './difference.ts';
import { machineryOf } from './machinery.ts';
import { permissionsOf } from './permissions.ts';
import { pinsOf, protectionOf } from './protection.ts';
import { releaseChecksOf } from './release-check.ts';
import { stateOf } from './stateful.ts';

/** One file, because loading the construct library costs more than all that follows. */
const TEMPLATES = ENVIRONMENTS.map((environment) => [environment.name, templatesOf(environment)] as const);

describe.each(TEMPLATES)('%s', (_, templates) => {
  permissionsOf(templates);
  attacksOn(templates);
  protectionOf(templates);
  stateOf(templates);
  machineryOf(templates);
});

describe('wherever it is', () => {
  const [first] = TEMPLATES;
  if (first !== undefined) pinsOf(first[1]);
  it('is somewhere', () => expect(first).toBeDefined());
});

describe('what valiza ops doctor says of the next release of production', () => {
  const templates = TEMPLATES.find(([name]) => name === 'can-production')?.[1];
  if (templates !== undefined) releaseChecksOf(templates);
  it('has templates to look at', () => expect(templates).toBeDefined());
});

it('differs from staging to production in nothing but the listed members', () => {
  const of = (name: string): Templates => {
    const found = TEMPLATES.find(([candidate]) => candidate === name)?.[1];
    if (found === undefined) throw new Error(`There is no ${name}.`);
    return found;
  };
  expect(differencesBetween(of('can-staging'), of('can-production'))).toEqual([
    'exchange.*Log.RetentionInDays',
    'exchange.ApiDomain',
    'exchange.ApiDomainMapvalizaexchangeApiRestApi',
    'exchange.ApiRestApi.DisableExecuteApiEndpoint',
    'exchange.Canary',
    'exchange.CanaryAllowEventRulevalizaexchangeruncanaryFunction',
    'exchange.CanaryFailsAlarm',
    'exchange.MailIdentity.EmailIdentity',
    'exchange.OperatorRoleDefaultPolicy.PolicyDocument.Statement.0.Resource.0',
    'exchange.OperatorRoleDefaultPolicy.PolicyDocument.Statement.0.Resource.1',
    'exchange.OperatorRoleDefaultPolicy.PolicyDocument.Statement.0.Resource.Fn::GetAtt',
    'exchange.Outputs.ApiAddress.Value',
    'exchange.UndeliveredPolicy.PolicyDocument.Statement.5',
    'exchange.announceFunction.Environment.Variables.MAIL_FROM',
    'exchange.announceFunction.Environment.Variables.PORTAL_ADDRESS',
    'exchange.authenticatecallerFunction.Environment.Variables.CANARY_KEY',
    'exchange.authenticatecallerFunction.Environment.Variables.CLIENT_CERTIFICATES',
    'exchange.authenticatecallerRoleDefaultPolicy.PolicyDocument.Statement.2',
    'exchange.runcanaryFunction',
    'exchange.runcanaryLog',
    'exchange.runcanaryLogThrough',
    'exchange.sealpackageFunction.ReservedConcurrentExecutions',
    'vault.CanaryKey',
    'vault.CanaryRole',
    'vault.CanaryRoleDefaultPolicy',
    'vault.Outputs.PublishOutputFnGetAttCanaryKey53D2D0D1Arn',
    'vault.Outputs.PublishOutputFnGetAttCanaryRole4BD5F96AArn',
  ]);
  expect(differencesBetween(of('can-staging'), of('can-staging'))).toEqual([]);
});
