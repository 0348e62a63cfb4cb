import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checked, chooseEnvironment, ENVIRONMENTS } from '../../infra/environments/choose.ts';
import { canDev, canProduction } from '../../infra/environments/deployed.ts';
import { canLocal } from '../../infra/environments/local.ts';
import { environmentSchema, type Environment } from '../../infra/environments/schema.ts';

const REPOSITORY = join(__dirname, '..', '..');
const NAMES = 'can-local, ukr-local, can-dev, can-staging, can-production, ukr-production';

it.each([
  ['nowhere', 'There is no environment "nowhere".'],
  ['CAN-production', 'There is no environment "CAN-production".'],
  ['can', 'There is no environment "can".'],
  ['', 'No environment was named.'],
  [undefined, 'No environment was named.'],
  [['can-dev'], 'No environment was named.'],
])('refuses %p, and says which there are', (name, said) => {
  expect(() => chooseEnvironment(name)).toThrow(`${said} Choose one of: ${NAMES} (cdk synth -c env=<name>).`);
});

it('stops a synthesis with that sentence, and without a stack trace', () => {
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    env: { ...process.env, CDK_CONTEXT_JSON: JSON.stringify({ env: 'can-prodution' }) },
  });
  expect(status).toBe(1);
  expect(stderr).toBe(`There is no environment "can-prodution". Choose one of: ${NAMES} (cdk synth -c env=<name>).\n`);
});

it('chooses an environment by its name alone, and takes none that is not complete', () => {
  expect(NAMES).toBe(ENVIRONMENTS.map(({ name }) => name).join(', '));
  for (const environment of ENVIRONMENTS) expect(chooseEnvironment(environment.name)).toEqual(environment);
});

it('names every fault of an environment, each where it is', () => {
  const { region: _region, portal: _portal, ...rest } = canDev;
  const incomplete = {
    ...rest,
    account: '1234',
    issuers: [{ issuer: 'identity.can.example', nation: 'Canada', keySet: 'http://identity.can.example/keys' }],
    logDays: 90,
    concurrentSealings: 0,
    tags: {},
  };
  const message = messageOf(() => checked(incomplete, 'can-dev'));
  expect(message).toMatch(/^Environment can-dev is not complete:\n/);
  const places = [...message.matchAll(/→ at (.+)/g)].map(([, place]) => place);
  expect(places).toEqual([
    'account',
    'region',
    'portal',
    'logDays',
    'concurrentSealings',
    'issuers[0].issuer',
    'issuers[0].nation',
    'issuers[0].keySet',
  ]);
  expect(message).toContain('Unrecognized key: "tags"');
});

const registering = (certificates: Record<string, string[]>): Environment['api']['mutualTls'] =>
  canProduction.api.mutualTls === null ? null : { ...canProduction.api.mutualTls, certificates };

/** What an environment must never be, each told by the member that is wrong. */
const REFUSED: readonly (readonly [what: string, environment: Environment, at: string, says: string])[] = [
  [
    'an exercise issuer outside local',
    { ...canDev, issuers: canLocal.issuers.map((row) => ({ ...row, keySet: `${row.issuer}/jwks.json` })) },
    'issuers',
    'only a local environment trusts the exercise issuer',
  ],
  [
    'one exercise issuer among others',
    {
      ...canProduction,
      issuers: [
        ...canProduction.issuers,
        { issuer: 'https://exercise.valiza.example/can', nation: 'CAN', keySet: 'https://keys.can.example/jwks.json' },
      ],
    },
    'issuers',
    'only a local environment trusts the exercise issuer',
  ],
  [
    'a key set by parameter outside local',
    { ...canDev, issuers: canDev.issuers.map((row) => ({ ...row, keySet: { parameter: 'KeySet' } })) },
    'issuers',
    'only a local environment takes a key set by parameter',
  ],
  [
    'data that may be lost outside local',
    { ...canDev, retain: false },
    'retain',
    'only a local environment may lose its data',
  ],
  [
    'production without mutual TLS',
    { ...canProduction, api: { ...canProduction.api, mutualTls: null } },
    'api',
    'production has mutual TLS',
  ],
  [
    'a certificate of a nation that has no issuer',
    { ...canProduction, api: { ...canProduction.api, mutualTls: registering({ FRA: ['A'.repeat(43)] }) } },
    'api',
    'a certificate is of a nation that has an issuer',
  ],
  [
    'a certificate of two nations',
    {
      ...canProduction,
      api: { ...canProduction.api, mutualTls: registering({ CAN: ['A'.repeat(43)], UKR: ['A'.repeat(43)] }) },
    },
    'api.mutualTls.certificates',
    'no certificate is listed twice',
  ],
  [
    'a canary where mutual TLS is',
    { ...canProduction, canary: { everyMinutes: 30, scheduled: true } },
    'canary',
    'an environment with mutual TLS has no canary: it would need a client certificate',
  ],
  [
    'a canary that is hardly ever still',
    { ...canDev, canary: { everyMinutes: 5, scheduled: true } },
    'canary.everyMinutes',
    'Too small',
  ],
  ['the name of another nation', { ...canDev, nation: 'UKR' }, 'name', 'must be the nation and the stage'],
  ['the name of another stage', { ...canDev, name: 'can-staging' }, 'name', 'must be the nation and the stage'],
  [
    'fewer officers than two-person changes take',
    { ...canDev, foundingOfficers: canDev.foundingOfficers.slice(0, 2) },
    'foundingOfficers',
    'Too small',
  ],
  [
    'a Region outside both nations’ choice',
    { ...canDev, region: 'us-east-1' as 'ca-central-1' },
    'region',
    'Invalid option',
  ],
];

it.each(REFUSED)('refuses %s', (_, environment, at, says) => {
  const { error } = environmentSchema.safeParse(environment);
  expect(error?.issues.map(({ path, message }) => [path.join('.'), message])).toEqual([
    [at, expect.stringContaining(says)],
  ]);
  expect(messageOf(() => checked(environment, environment.name))).toContain(`→ at ${at}`);
});

it('gives no two environments one account or one name', () => {
  const deployed = ENVIRONMENTS.filter(({ stage }) => stage !== 'local');
  expect(new Set(deployed.map(({ account }) => account)).size).toBe(deployed.length);
  expect(new Set(ENVIRONMENTS.map(({ name }) => name)).size).toBe(ENVIRONMENTS.length);
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('It was not refused.');
}
