import type { Properties, ResourceContext, ResourceType } from './resource.ts';
import { inertType } from './template/inert.ts';
import { TemplateProblem } from './template/problem.ts';
import type { Known } from './template/scope.ts';

/** Every resource type that the runtime can create. */
export class ResourceTypes {
  #types = new Map<string, ResourceType>();

  constructor(types: readonly ResourceType[]) {
    for (const type of types) {
      if (this.#types.has(type.type)) throw new TemplateProblem(`the resource type ${type.type} is defined twice`);
      this.#types.set(type.type, type);
    }
  }

  /**
   * Creates a resource. @throws {TemplateProblem} for a type or a property that is not implemented, and what the service itself refuses
   */
  async create(type: string, properties: Properties, context: ResourceContext): Promise<Known> {
    const known = this.#types.get(type);
    if (known === undefined) {
      const inert = inertType(type);
      if (inert === undefined) throw new TemplateProblem('the local runtime does not implement this resource type');
      return inert(properties, context);
    }
    const unknown = Object.keys(properties).find((name) => !known.properties.includes(name));
    if (unknown !== undefined)
      throw new TemplateProblem(`the local runtime does not implement the property ${unknown}`);
    return await known.create(properties, context);
  }
}
