import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ServiceError } from '../../service.ts';
import { DurableJson } from '../durable-json.ts';
import type { FunctionConfiguration } from './function-configuration.ts';

/** A published version: code and configuration as they were, whatever the function has become since. */
interface Published {
  readonly configuration: FunctionConfiguration;
  /** Digest of configuration and code: what was published last is not published again. */
  readonly digest: string;
}

interface OfFunction {
  /** Numbers are never given twice. */
  last: number;
  /** The version of each resource that the templates have. */
  resources: Record<string, { readonly version: string; readonly kept: boolean }>;
  versions: Record<string, Published>;
}

/**
 * Versions of functions, kept with their code in the data directory, so that what a template no longer has can still be invoked where its
 * deletion policy keeps it. https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
 */
export class FunctionVersions {
  readonly #dataDirectory: string | undefined;
  readonly #published: DurableJson<Record<string, OfFunction>>;
  /** Resources that this process has created: what is created again was gone meanwhile, and becomes a version of its own. */
  readonly #created = new Set<string>();

  constructor(dataDirectory: string | undefined) {
    this.#dataDirectory = dataDirectory;
    this.#published = new DurableJson(dataDirectory, 'lambda-published.json', {});
  }

  /** Configuration and code of a version; undefined when there is none. */
  find(functionName: string, version: string): FunctionConfiguration | undefined {
    return this.#published.value[functionName]?.versions[version]?.configuration;
  }

  /**
   * Publishes what the template calls `logicalId`; the same resource keeps its version over restarts. Returns the version's number.
   * @param kept whether the version outlives its resource
   */
  publish(configuration: FunctionConfiguration, logicalId: string, kept: boolean): string {
    const { name } = configuration;
    const own = (this.#published.value[name] ??= { last: 0, resources: {}, versions: {} });
    const again = this.#created.has(`${name}/${logicalId}`);
    this.#created.add(`${name}/${logicalId}`);
    const known = own.resources[logicalId]?.version;
    const version = known !== undefined && !again ? known : this.#next(own, configuration);
    own.resources[logicalId] = { version, kept };
    this.#published.save();
    return version;
  }

  /** A resource is gone from the templates: its version stays where its deletion policy says so. Returns the version that was deleted. */
  withdraw(functionName: string, logicalId: string): string | undefined {
    const own = this.#published.value[functionName];
    const resource = own?.resources[logicalId];
    if (own === undefined || resource === undefined) return undefined;
    delete own.resources[logicalId];
    if (!resource.kept) this.#delete(functionName, own, resource.version);
    this.#published.save();
    return resource.kept ? undefined : resource.version;
  }

  /** Withdraws what earlier starts created and this one did not. To be called once everything of the templates is created. */
  settle(): void {
    for (const [name, { resources }] of Object.entries(this.#published.value))
      for (const logicalId of Object.keys(resources))
        if (!this.#created.has(`${name}/${logicalId}`)) this.withdraw(name, logicalId);
  }

  #next(own: OfFunction, configuration: FunctionConfiguration): string {
    const digest = digestOf(configuration);
    const latest = own.versions[String(own.last)];
    // What CloudFormation reports: Lambda answers with the version that exists.
    if (latest?.digest === digest)
      throw new ServiceError(
        'AlreadyExists',
        `A version for this Lambda function exists ( ${own.last} ). Modify the function to create a new version.`,
      );
    own.last += 1;
    const version = String(own.last);
    const codeDirectory = this.#keep(configuration, version);
    own.versions[version] = { configuration: { ...configuration, codeDirectory }, digest };
    return version;
  }

  /** A copy of the code, where there is a place for it: the assembly that it comes from may be gone by the time it is run. */
  #keep({ name, codeDirectory }: FunctionConfiguration, version: string): string {
    const directory = this.#directoryOf(name, version);
    if (directory === undefined) return codeDirectory;
    cpSync(codeDirectory, directory, { recursive: true });
    return directory;
  }

  #delete(name: string, own: OfFunction, version: string): void {
    delete own.versions[version];
    const directory = this.#directoryOf(name, version);
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }

  #directoryOf = (name: string, version: string): string | undefined =>
    this.#dataDirectory === undefined ? undefined : join(this.#dataDirectory, 'lambda-versions', `${name}-${version}`);
}

function digestOf({ codeDirectory, ...configuration }: FunctionConfiguration): string {
  const hash = createHash('sha256').update(JSON.stringify(configuration));
  const files = readdirSync(codeDirectory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort())
    hash.update(path.slice(codeDirectory.length)).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}
