import type { FunctionName } from '../../infra/functions.ts';

/** Largest bundle of a function, in KB (1,024 bytes): what is read and compiled at every cold start. */
export const BUNDLE_KB = 450;

/** Longest that a bundle may take to load in a fresh process, in milliseconds. Measured by `npm run bench`, not by a test. */
export const INIT_MS = 60;

/** The functions that may be larger, and why. */
export const LARGER: Readonly<Partial<Record<FunctionName, { readonly kb: number; readonly reason: string }>>> = {
  'seal-package': {
    kb: 680,
    reason: 'the AWS Encryption SDK with bn.js and readable-stream, and the S3, KMS and STS clients',
  },
  'grant-access': {
    kb: 580,
    reason: 'four service clients (DynamoDB, KMS, S3, STS), HPKE, and the schemas of the API',
  },
  'run-canary': {
    kb: 490,
    reason: 'opens packages as recipients do: the AWS Encryption SDK and HPKE; and the schemas of the API',
  },
  api: { kb: 520, reason: 'the S3 client, which deposits are addressed with, and the schemas of every operation' },
};
