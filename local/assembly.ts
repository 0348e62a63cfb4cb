import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isRecord, TemplateProblem } from './template/problem.ts';

/** A stack of a cloud assembly with its template and the local directories of its assets. */
export interface AssemblyStack {
  readonly name: string;
  /** 12 digits, when the environment names an account. */
  readonly account: string | undefined;
  readonly region: string | undefined;
  /** Directory of the manifest that names the stack. */
  readonly directory: string;
  readonly template: Record<string, unknown>;
  /** Absolute path of each file asset by its object key. */
  readonly assets: ReadonlyMap<string, string>;
}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly dependencies?: readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

function readJson(path: string): Record<string, unknown> {
  if (!existsSync(path)) throw new TemplateProblem(`${path} does not exist: synthesise the application first`);
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!isRecord(value)) throw new TemplateProblem(`${path} is not a JSON object`);
  return value;
}

const property = (artifact: Artifact, name: string): string => {
  const value = artifact.properties?.[name];
  if (typeof value !== 'string') throw new TemplateProblem(`the assembly has a ${artifact.type} without ${name}`);
  return value;
};

/** File assets of an asset manifest. https://docs.aws.amazon.com/cdk/v2/guide/assets.html */
function readAssets(manifestPath: string, assets: Map<string, string>): void {
  const files = readJson(manifestPath)['files'] ?? {};
  for (const file of Object.values(files as Record<string, Record<string, Record<string, unknown>>>)) {
    const path = file['source']?.['path'];
    for (const destination of Object.values(file['destinations'] ?? {}))
      if (typeof path === 'string' && isRecord(destination) && typeof destination['objectKey'] === 'string')
        assets.set(destination['objectKey'], resolve(dirname(manifestPath), path));
  }
}

/** Artifacts so that each follows what it depends on. */
function inOrder(artifacts: Readonly<Record<string, Artifact>>): readonly (readonly [id: string, Artifact])[] {
  const ordered: [string, Artifact][] = [];
  const seen = new Set<string>();
  const visit = (id: string): void => {
    const artifact = artifacts[id];
    if (artifact === undefined || seen.has(id)) return;
    seen.add(id);
    artifact.dependencies?.forEach(visit);
    ordered.push([id, artifact]);
  };
  Object.keys(artifacts).forEach(visit);
  return ordered;
}

function readStack(
  directory: string,
  id: string,
  artifact: Artifact,
  assets: ReadonlyMap<string, string>,
): AssemblyStack {
  const [account = '', region = ''] = (artifact.environment ?? '').replace('aws://', '').split('/');
  return {
    // Left out where it is the artifact's own id.
    name: String(artifact.properties?.['stackName'] ?? id),
    account: /^\d{12}$/.test(account) ? account : undefined,
    region: region === '' || region === 'unknown-region' ? undefined : region,
    directory,
    template: readJson(join(directory, property(artifact, 'templateFile'))),
    assets,
  };
}

function readManifest(directory: string): readonly AssemblyStack[] {
  const { artifacts = {}, missing } = readJson(join(directory, 'manifest.json'));
  if (Array.isArray(missing) && missing.length > 0)
    throw new TemplateProblem(`${directory} lacks context (${JSON.stringify(missing)}): synthesise without lookups`);
  // The cloud assembly's own schema: every artifact has a type.
  const ordered = inOrder(artifacts as Record<string, Artifact>);
  const assets = new Map<string, string>();
  for (const [, artifact] of ordered)
    if (artifact.type === 'cdk:asset-manifest') readAssets(join(directory, property(artifact, 'file')), assets);
  return ordered.flatMap(([id, artifact]) => {
    if (artifact.type === 'aws:cloudformation:stack') return [readStack(directory, id, artifact, assets)];
    if (artifact.type === 'cdk:cloud-assembly')
      return readManifest(join(directory, property(artifact, 'directoryName')));
    return [];
  });
}

/**
 * Reads every stack of a synthesised assembly, those of stages included, each after the stacks that it depends on.
 * @param directory of `manifest.json`, usually `cdk.out`
 */
export function readAssembly(directory: string): readonly AssemblyStack[] {
  const stacks = readManifest(resolve(directory));
  if (stacks.length === 0) throw new TemplateProblem(`${directory} has no stack`);
  return stacks;
}

/** The directory of a function's code, from the asset that its template names. */
export function localCode(stack: AssemblyStack, code: Readonly<Record<string, unknown>>): string {
  const key = code['S3Key'];
  const path = typeof key === 'string' ? stack.assets.get(key) : undefined;
  if (path === undefined) throw new TemplateProblem(`its Code ${JSON.stringify(code)} is no asset of the assembly`);
  if (!existsSync(path) || !statSync(path).isDirectory())
    throw new TemplateProblem(`its Code ${path} is not a directory: bundle it when synthesising`);
  return path;
}
