import { offices } from './officers.ts';
import type { Environment } from './schema.ts';

// Accounts are the examples of the AWS documentation, and hosts are reserved names: whoever deploys enters their own in a reviewed change.
const CAN_ISSUER = 'https://identity.can.example';
const UKR_ISSUER = 'https://identity.ukr.example';

const issuers: Environment['issuers'] = [
  { issuer: CAN_ISSUER, nation: 'CAN', keySet: `${CAN_ISSUER}/.well-known/jwks.json` },
  { issuer: UKR_ISSUER, nation: 'UKR', keySet: `${UKR_ISSUER}/.well-known/jwks.json` },
];

// Of no certificate: whoever deploys enters those of their agencies' clients, and of the other nation's.
const EXAMPLE_CERTIFICATES = { CAN: ['A'.repeat(43)], UKR: [`${'A'.repeat(42)}E`] };

export const canDev: Environment = {
  name: 'can-dev',
  nation: 'CAN',
  stage: 'dev',
  account: '111122223333',
  region: 'ca-central-1',
  issuers,
  foundingOfficers: offices(CAN_ISSUER, UKR_ISSUER),
  mail: { domain: 'dev.can.example', from: 'exchange@dev.can.example' },
  portal: 'https://exchange.dev.can.example',
  releaseKey: 'nation-key',
  api: { requestsPerSecond: 50, burst: 100, mutualTls: null },
  canary: { everyMinutes: 30, scheduled: true },
  logDays: 30,
  retain: true,
  concurrentSealings: 2,
};

export const canStaging: Environment = {
  name: 'can-staging',
  nation: 'CAN',
  stage: 'staging',
  account: '444455556666',
  region: 'ca-central-1',
  issuers,
  foundingOfficers: offices(CAN_ISSUER, UKR_ISSUER),
  mail: { domain: 'staging.can.example', from: 'exchange@staging.can.example' },
  portal: 'https://exchange.staging.can.example',
  releaseKey: 'nation-key',
  api: { requestsPerSecond: 100, burst: 200, mutualTls: null },
  canary: { everyMinutes: 30, scheduled: true },
  logDays: 365,
  retain: true,
  concurrentSealings: 5,
};

export const canProduction: Environment = {
  name: 'can-production',
  nation: 'CAN',
  stage: 'production',
  account: '777788889999',
  region: 'ca-central-1',
  issuers,
  foundingOfficers: offices(CAN_ISSUER, UKR_ISSUER),
  mail: { domain: 'can.example', from: 'exchange@can.example' },
  portal: 'https://exchange.can.example',
  releaseKey: 'nation-key',
  api: {
    requestsPerSecond: 100,
    burst: 200,
    mutualTls: {
      domainName: 'exchange.can.example',
      certificateArn: 'arn:aws:acm:ca-central-1:777788889999:certificate/00000000-0000-0000-0000-000000000000',
      trustStore: 's3://exchange-trust-can-example/agencies.pem',
      certificates: EXAMPLE_CERTIFICATES,
    },
  },
  canary: null,
  logDays: 731,
  retain: true,
  concurrentSealings: 10,
};

export const ukrProduction: Environment = {
  name: 'ukr-production',
  nation: 'UKR',
  stage: 'production',
  account: '123456789012',
  region: 'eu-central-1',
  issuers,
  foundingOfficers: offices(CAN_ISSUER, UKR_ISSUER),
  mail: { domain: 'ukr.example', from: 'exchange@ukr.example' },
  portal: 'https://exchange.ukr.example',
  releaseKey: 'nation-key',
  api: {
    requestsPerSecond: 100,
    burst: 200,
    mutualTls: {
      domainName: 'exchange.ukr.example',
      certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000',
      trustStore: 's3://exchange-trust-ukr-example/agencies.pem',
      certificates: EXAMPLE_CERTIFICATES,
    },
  },
  canary: null,
  logDays: 731,
  retain: true,
  concurrentSealings: 10,
};
