import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

/** Something of a library that no function uses, and what stands in its place in a bundle. */
interface LeftOut {
  /** Which files it concerns, by their end. */
  readonly files: RegExp;
  readonly instead: (source: string) => string;
}

const REFUSE = '() => { throw new Error("Left out of the bundle: see infra/constructs/left-out.ts."); }';

/** A module with the same exports, of which each is what is given. */
const exporting = (what: string) => (source: string) =>
  [...source.matchAll(/^export (?:const|function) (\w+)/gm)]
    .map(([, name]) => `export const ${name} = ${what};`)
    .join('\n');

/** A module of functions that refuse. */
const refusing = exporting(REFUSE);

/** A module of functions that make such functions, for a library that makes them while it loads and calls them when asked. */
const makingRefusals = exporting(`() => ${REFUSE}`);

/**
 * Object keys given by a constant of the same file (`{ [_hH]: … }`), as the constants' values: esbuild takes a computed key for a side effect and
 * would keep the schema of each operation of S3, whether it is called or not.
 */
function plainKeys(source: string): string {
  const constants = new Map(
    [...source.matchAll(/^const (\w+) = ("[^"\\]*");$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
  return source.replace(/([{,]\s*)\[(\w+)\]:/g, (whole, before: string, name: string) => {
    const value = constants.get(name);
    return value === undefined ? whole : `${before}${value}:`;
  });
}

/** Two thirds of the code of a small function would be this. Each row was weighed; test/infra/bundles.test.ts holds the sum. */
const LEFT_OUT: readonly LeftOut[] = [
  {
    // Lambda gives a function its role's credentials as environment variables, and changes them by a new environment. Profiles, SSO, web
    // identities and instance metadata (with a client each, loaded lazily, which keeps esbuild from dropping what they share) cannot occur there.
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    files: /@aws-sdk\/credential-provider-node\/dist-es\/index\.js$/,
    instead: () => `export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';`,
  },
  { files: /@aws-sdk\/client-s3\/dist-es\/schemas\/schemas_0\.js$/, instead: plainKeys },
  {
    // Streams of events: of all that S3 can do only SelectObjectContent answers one.
    files: /@smithy\/core\/dist-es\/submodules\/event-streams\/index\.js$/,
    instead: () =>
      `export const eventStreamSerdeProvider = () => ({});
       export const resolveEventStreamSerdeConfig = (config) => config;
       export class EventStreamSerde { constructor() { (${REFUSE})(); } }`,
  },
  {
    // A cache for endpoint discovery, which the DynamoDB client configures and has no middleware for.
    files: /@aws-sdk\/endpoint-cache\/dist-es\/index\.js$/,
    instead: () => 'export class EndpointCache {}',
  },
  // The SDK's clients read the version from their own package.json, and esbuild would take in the whole of it.
  {
    files: /@aws-sdk\/[\w-]+\/package\.json$/,
    instead: (source) => JSON.stringify({ version: (JSON.parse(source) as { version: string }).version }),
  },
  // The API's description is written by a script, not by a function.
  { files: /zod\/v4\/core\/(to-json-schema|json-schema-processors)\.js$/, instead: makingRefusals },
  // Keys and signatures of suites that sign the message: the suite of packages (0x0478) commits to its key and signs nothing.
  {
    files:
      /@aws-crypto\/(material-management\/build\/module\/src\/(ecc_decode|ecc_encode|pem_helpers)|serialize\/build\/module\/src\/ecdsa_signature)\.js$/,
    instead: refusing,
  },
];

/** Leaves out of a bundle what no function can reach. A row that meets no file any more, since a library has changed, stops the build. */
export const leavingOut: Plugin = {
  name: 'leaving-out',
  setup(build) {
    const met = new Set<LeftOut>();
    for (const row of LEFT_OUT) {
      build.onLoad({ filter: row.files }, ({ path }) => {
        met.add(row);
        return {
          contents: row.instead(readFileSync(path, 'utf8')),
          loader: path.endsWith('.json') ? ('json' as const) : ('js' as const),
        };
      });
    }
    build.onEnd(() => ({
      errors: LEFT_OUT.filter((row) => !met.has(row)).map(({ files }) => ({
        text: `No file of a bundle is ${files.source} any more. Mend its row in infra/constructs/left-out.ts, or remove it.`,
      })),
    }));
  },
};
