// Who may import whom: the house of docs/explanation/architecture.md §2, held to every TypeScript file of the repository.
// node scripts/check-imports.mjs [root]
import { readFileSync, readdirSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix, relative, sep } from 'node:path';
import { importsIn, tokensOf, usesOf } from './source-tokens.mjs';

const LAW = ['lambdas/domain/', 'lambdas/evidence/', 'lambdas/contracts/'];
const ANY = /./;
const NONE = /^$/;

/**
 * The first part whose `files` match a file is the one it belongs to. It may import files of its own (`apart`: of its own folder, and
 * files that lie beside the folders), those under `may`, packages that match, and built-ins of Node.js that match.
 */
const PARTS = [
  { name: 'domain', files: /^lambdas\/domain\//, may: [], packages: NONE, builtins: NONE },
  {
    name: 'evidence',
    files: /^lambdas\/evidence\//,
    may: ['lambdas/domain/'],
    packages: /^(canonicalize|@hpke\/core|@aws-crypto\/.+)$/,
    builtins: /^node:(crypto|stream|stream\/promises)$/,
  },
  { name: 'contracts', files: /^lambdas\/contracts\//, may: ['lambdas/domain/'], packages: /^zod$/, builtins: NONE },
  {
    name: 'platform',
    files: /^lambdas\/platform\//,
    may: [...LAW, 'agreements/'],
    packages: /^(zod|@aws-sdk\/.+|@aws-crypto\/.+)$/,
    builtins: ANY,
  },
  {
    name: 'steps',
    files: /^lambdas\/steps\//,
    apart: 'lambdas/steps/',
    may: [...LAW, 'lambdas/platform/'],
    packages: /^(zod|aws-lambda)$/,
    builtins: ANY,
  },
  {
    name: 'events',
    files: /^lambdas\/events\//,
    apart: 'lambdas/events/',
    may: [...LAW, 'lambdas/platform/'],
    packages: /^(zod|aws-lambda)$/,
    builtins: ANY,
  },
  {
    name: 'api',
    files: /^lambdas\/api\//,
    may: [...LAW, 'lambdas/platform/'],
    packages: /^(zod|aws-lambda|jose)$/,
    builtins: ANY,
  },
  {
    name: 'infra',
    files: /^infra\//,
    may: ['lambdas/contracts/'],
    packages: /^(aws-cdk-lib(\/.+)?|constructs|cdk-nag|esbuild|zod)$/,
    builtins: ANY,
  },
  // The runtime's input is the synthesised assembly: nothing of this repository.
  { name: 'local', files: /^local\//, may: [], packages: /^(zod|jsonata|dynalite\/.+)$/, builtins: ANY },
  { name: 'entry of the CDK', files: /^bin\/app\.ts$/, may: ['infra/'], packages: NONE, builtins: ANY },
  {
    name: 'client',
    files: /^bin\/(valiza\.ts$|client\/|commands\/)/,
    may: LAW,
    // Operators invoke a function and read templates with AWS credentials of their own; everybody else talks to the API.
    packages: /^(zod|commander|cli-progress|@aws-crypto\/.+|@aws-sdk\/client-(lambda|cloudformation))$/,
    builtins: ANY,
  },
  {
    name: 'exercise on a laptop',
    files: /^bin\/(local\.ts$|local\/)/,
    may: [...LAW, 'local/', 'examples/', 'bin/client/'],
    packages: /^(zod|commander)$/,
    builtins: ANY,
  },
  { name: 'examples', files: /^examples\//, may: [...LAW, 'bin/client/'], packages: /^(zod|jose)$/, builtins: ANY },
  { name: 'test', files: /^test\//, may: [''], packages: ANY, builtins: ANY },
  { name: 'bench', files: /^bench\//, may: [''], packages: ANY, builtins: ANY, mayBeEmpty: true },
];

/** Edges that the table does not have, each with its reason; one that nothing uses is a finding too. */
const ALSO = [
  {
    from: 'infra/environments/local.ts',
    to: 'examples/exercise/people.ts',
    why: 'an exchange on a laptop begins with the people of the exercise',
  },
  {
    from: 'bin/client/credentials.ts',
    to: 'examples/exercise/nations.ts',
    why: '--as acts as a person of the exercise',
  },
  {
    from: 'bin/client/credentials.ts',
    to: 'examples/exercise/issuer.ts',
    why: '--as asks the identity provider of the exercise, which is a folder of keys on the same machine',
  },
];

/** Globals with which the domain would have a clock, chance, or an outside world. */
const IMPURE =
  'Date Math.random process console globalThis performance crypto fetch setTimeout setInterval setImmediate'.split(' ');

/** The one way into the log of a function: it lets through what has the form of an id, a count or a name. */
const LOG = 'lambdas/platform/log.ts';
const OTHER_WAYS_TO_LOG = 'console process.stdout process.stderr process.emitWarning'.split(' ');

/** Words of the application that its runtime must not know, in code or in a comment. */
const APPLICATION_WORDS =
  /valiza|case ?id\b|case file|originating|agreement|assurance|recipient nation|competent authority|seal-package|grant-access|CAN-UKR/i;

const SKIPPED = new Set(['node_modules', 'cdk.out', 'dist', 'coverage', '.git', '.valiza']);

function* sourcesUnder(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* sourcesUnder(path);
    else if (/\.[cm]?tsx?$/.test(entry.name)) yield path;
  }
}

/** Whether a part has the target for its own. */
function isOwn(part, file, target) {
  if (part.apart === undefined) return part.files.test(target);
  const folder = `${posix.dirname(file)}/`;
  const beside = target.startsWith(part.apart) && !target.slice(part.apart.length).includes('/');
  return beside || (folder !== part.apart && target.startsWith(folder));
}

/** What is wrong with one import; undefined when nothing is. */
function fault(part, file, { specifier, clause }, used) {
  if (specifier === undefined) {
    return part.may.includes('') ? undefined : 'imports what only the running program knows; name the file as a text';
  }
  if (specifier.startsWith('.')) {
    const target = posix.normalize(posix.join(posix.dirname(file), specifier));
    if (isOwn(part, file, target) || part.may.some((prefix) => target.startsWith(prefix))) return undefined;
    const extra = ALSO.find((edge) => edge.from === file && edge.to === target);
    if (extra === undefined) return `imports ${target}, which ${part.name} may not`;
    used.add(extra);
    return undefined;
  }
  if (isBuiltin(specifier)) {
    if (!specifier.startsWith('node:')) return `imports ${specifier}; write node:${specifier}`;
    return part.builtins.test(specifier) ? undefined : `imports ${specifier}, a built-in that ${part.name} may not use`;
  }
  if (specifier === 'zod' && !/^(type|\* as z) /.test(clause)) {
    return "imports zod by name; write import * as z from 'zod', which bundles a fifth of the code";
  }
  return part.packages.test(specifier) ? undefined : `imports the package ${specifier}, which ${part.name} may not`;
}

/** Examines a tree. @returns what is wrong, and how much was looked at */
function examine(root) {
  const faults = [];
  const filesOf = new Map(PARTS.map((part) => [part, 0]));
  const used = new Set();
  let imports = 0;
  for (const path of sourcesUnder(root)) {
    const file = relative(root, path).split(sep).join('/');
    const source = readFileSync(path, 'utf8');
    const complain = (at, message) => faults.push(`${file}:${source.slice(0, at).split('\n').length} ${message}`);
    const part = PARTS.find(({ files }) => files.test(file));
    if (part === undefined) {
      complain(0, 'belongs to no part of the house; give it a place, or the house a part');
      continue;
    }
    filesOf.set(part, filesOf.get(part) + 1);
    const tokens = tokensOf(source);
    for (const found of importsIn(tokens)) {
      imports += 1;
      const message = fault(part, file, found, used);
      if (message !== undefined) complain(found.at, message);
    }
    if (part.name === 'domain') {
      for (const name of IMPURE) {
        for (const { at } of usesOf(tokens, name))
          complain(at, `uses ${name}: the domain has no clock, no chance, no outside`);
      }
    }
    if (file.startsWith('lambdas/') && part.name !== 'domain' && file !== LOG) {
      for (const name of OTHER_WAYS_TO_LOG) {
        for (const { at } of usesOf(tokens, name)) complain(at, `uses ${name}: functions log through ${LOG} alone`);
      }
    }
    if (part.name === 'local') {
      const word = APPLICATION_WORDS.exec(source);
      if (word !== null) complain(word.index, `says "${word[0]}": the runtime knows nothing of the application`);
    }
  }
  for (const [part, count] of filesOf) {
    if (count === 0 && part.mayBeEmpty !== true)
      faults.push(`The rule for ${part.name} matched no file: it protects nothing.`);
  }
  for (const edge of ALSO) {
    if (!used.has(edge)) faults.push(`${edge.from} no longer imports ${edge.to}: take the edge off the list.`);
  }
  const files = [...filesOf.values()].reduce((sum, count) => sum + count, 0);
  if (files === 0 || imports === 0) faults.push(`Nothing was examined: ${files} files, ${imports} imports.`);
  return { faults, files, imports };
}

const { faults, files, imports } = examine(process.argv[2] ?? join(import.meta.dirname, '..'));
for (const line of faults) console.error(line);
console.log(`Imports: ${files} files and ${imports} imports examined, ${faults.length} findings.`);
process.exitCode = faults.length === 0 ? 0 : 1;
