import type { AssemblyStack } from './assembly.ts';
import type { Host } from './service.ts';
import { TemplateProblem } from './template/problem.ts';
import { Exports } from './template/scope.ts';
import { type DeployedStack, deployStack, impossibleIn } from './template/stack.ts';
import type { ResourceTypes } from './types.ts';

type Parameters = Readonly<Record<string, string>>;

interface Current {
  readonly stack: AssemblyStack;
  readonly resources: DeployedStack;
}

/** The stacks that run, and what they become with each deployment: CloudFormation, as far as one machine needs it. */
export class Deployments {
  readonly #host: Host;
  readonly #types: ResourceTypes;
  readonly #parameters: Parameters;
  #current = new Map<string, Current>();
  /** Outputs of each stack, by its name. */
  readonly outputs: Record<string, Record<string, string>> = {};

  constructor(host: Host, types: ResourceTypes, parameters: Parameters) {
    this.#host = host;
    this.#types = types;
    this.#parameters = parameters;
  }

  /** The template that a stack was last deployed with; undefined when there is no such stack. */
  template(stackName: string): Readonly<Record<string, unknown>> | undefined {
    return this.#current.get(stackName)?.stack.template;
  }

  /**
   * Creates the stacks, or updates those that run. What runs goes on meanwhile, as on AWS.
   * @throws {TemplateProblem} before anything is changed, where the change itself cannot be made here
   */
  async deploy(stacks: readonly AssemblyStack[]): Promise<void> {
    if (this.#current.size > 0) this.#assertPossible(stacks);
    const loading = { host: this.#host, types: this.#types, exports: new Exports(), parameters: this.#parameters };
    for (const stack of stacks) {
      const before = this.#current.get(stack.name)?.resources;
      const { deployed, outputs } = await deployStack(stack, loading, before);
      this.#current.set(stack.name, { stack, resources: deployed });
      this.outputs[stack.name] = outputs;
    }
  }

  #assertPossible(stacks: readonly AssemblyStack[]): void {
    const names = stacks.map(({ name }) => name);
    const others = [...new Set([...names, ...this.#current.keys()])].filter(
      (name) => !names.includes(name) || !this.#current.has(name),
    );
    if (others.length > 0)
      throw new TemplateProblem(`a deployment has the stacks that run, neither more nor fewer: ${others.join(', ')}`);
    const impossible = stacks.flatMap((stack) => {
      const current = this.#current.get(stack.name);
      return current === undefined ? [] : impossibleIn(stack, this.#types, current.resources, current.stack.template);
    });
    if (impossible.length > 0)
      throw new TemplateProblem(`the local runtime cannot deploy this: ${impossible.join('; ')}`);
  }
}
