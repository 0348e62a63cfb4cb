import * as z from 'zod';
import { personSchema } from '../../lambdas/contracts/person-schema.ts';

const speaks = (issuers: readonly { readonly nation: string }[], nation: string): boolean =>
  issuers.some((row) => row.nation === nation);

/** An environment is a nation and a stage. Every value is explicit: a default would be a surprise in somebody's account. */
export const environmentSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z]{3}-(local|dev|staging|production)$/),
    nation: z.string().regex(/^[A-Z]{3}$/),
    stage: z.enum(['local', 'dev', 'staging', 'production']),
    account: z.string().regex(/^\d{12}$/),
    region: z.enum(['ca-central-1', 'ca-west-1', 'eu-central-1', 'eu-north-1']),
    /** Identity providers, each for one nation. `parameter`: the key set's address is given when the stack is deployed (local only). */
    issuers: z
      .array(
        z.strictObject({
          issuer: z.url(),
          nation: z.string().regex(/^[A-Z]{3}$/),
          keySet: z.union([
            z.url({ protocol: /^https$/ }),
            z.strictObject({ parameter: z.string().regex(/^[A-Za-z]+$/) }),
          ]),
        }),
      )
      .min(1),
    /** Officers with whom the directory of a new exchange begins; replaced by confirmed changes. */
    foundingOfficers: z.array(personSchema).min(3),
    mail: z.strictObject({ domain: z.string().min(3), from: z.email() }),
    portal: z.url(),
    /** How the key of a release is made (security.md §3). */
    releaseKey: z.literal('nation-key'),
    api: z.strictObject({
      requestsPerSecond: z.int().positive(),
      burst: z.int().positive(),
      /** Regional custom domain with mutual TLS; the default endpoint is then disabled. */
      mutualTls: z
        .strictObject({
          domainName: z.string(),
          certificateArn: z.string(),
          trustStore: z.string().startsWith('s3://'),
          /**
           * The registry of client certificates, by the nation whose people use them: SHA-256 of the DER, base64url (RFC 8705 §3.1). One that
           * does not stand here is refused, whoever signed it: revoking is taking its line out. All environment variables of a function have
           * 4 KB together. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
           */
          certificates: z
            .record(
              z.string().regex(/^[A-Z]{3}$/),
              z.array(z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)).max(20),
            )
            .refine(
              (rows) => new Set(Object.values(rows).flat()).size === Object.values(rows).flat().length,
              'no certificate is listed twice',
            ),
        })
        .nullable(),
    }),
    /**
     * The canary, which carries an exercise case through the deployed API; null where there is none. It cannot be where mutual TLS is: a client
     * certificate has a private key that would have to be kept somewhere, and one made anew for each run is in no registry.
     */
    canary: z
      .strictObject({
        /** Minutes between two runs. */
        everyMinutes: z.int().min(15).max(1440),
        /** False: it runs when an operator asks, and nobody is told when it does not. */
        scheduled: z.boolean(),
      })
      .nullable(),
    /** Days that logs are kept. */
    logDays: z.union([z.literal(30), z.literal(365), z.literal(731)]),
    /** Whether tables, keys and buckets outlive their stack, and are protected against deletion. */
    retain: z.boolean(),
    /** Function instances that may seal at the same time. */
    concurrentSealings: z.int().positive(),
  })
  .superRefine((value, context) => {
    const production = value.stage === 'production';
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (!value.name.startsWith(value.nation.toLowerCase()) || !value.name.endsWith(value.stage)) {
      complain('name', 'must be the nation and the stage');
    }
    if (value.canary !== null && value.api.mutualTls !== null) {
      complain('canary', 'an environment with mutual TLS has no canary: it would need a client certificate');
    }
    if (production && value.api.mutualTls === null) complain('api', 'production has mutual TLS');
    if (Object.keys(value.api.mutualTls?.certificates ?? {}).some((nation) => !speaks(value.issuers, nation))) {
      complain('api', 'a certificate is of a nation that has an issuer');
    }
    if (value.stage !== 'local' && !value.retain) complain('retain', 'only a local environment may lose its data');
    if (value.stage !== 'local' && value.issuers.some((row) => typeof row.keySet !== 'string')) {
      complain('issuers', 'only a local environment takes a key set by parameter');
    }
    if (value.stage !== 'local' && value.issuers.some((row) => row.issuer.includes('exercise'))) {
      complain('issuers', 'only a local environment trusts the exercise issuer');
    }
  });

export type Environment = z.infer<typeof environmentSchema>;
