import type { Properties, ResourceContext, ResourceType } from './resource.ts';
import { inertType } from './template/inert.ts';
import { TemplateProblem } from './template/problem.ts';
import type { Known } from './template/scope.ts';

const changed = (before: Properties, after: Properties): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );

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
    const known = this.#find(type, properties);
    return await known.create(properties, context);
  }

  /** Changes a resource in place. @throws {TemplateProblem} where that is not implemented, or would make another in its place */
  async update(type: string, properties: Properties, context: ResourceContext, before: Properties): Promise<Known> {
    const { update, replaces } = this.#find(type, properties);
    if (update === undefined || replaces?.(before, properties) === true)
      throw new TemplateProblem(`the local runtime cannot change ${changed(before, properties).join(', ')} of it`);
    return await update(properties, context, before);
  }

  /** Takes a resource away. @throws {TemplateProblem} where that is not implemented */
  async remove(type: string, properties: Properties, context: ResourceContext): Promise<void> {
    const { remove } = this.#find(type, properties);
    if (remove === undefined) throw new TemplateProblem('the local runtime can neither delete nor orphan it');
    await remove(properties, context);
  }

  /** What a deployment could do with a resource of the type that stands for it now. */
  allows(type: string): { readonly update: boolean; readonly remove: boolean } {
    const known = this.#find(type, {});
    return { update: known.update !== undefined, remove: known.remove !== undefined };
  }

  #find(type: string, properties: Properties): Omit<ResourceType, 'type' | 'properties'> {
    const known = this.#types.get(type);
    if (known === undefined) {
      const inert = inertType(type);
      if (inert === undefined) throw new TemplateProblem('the local runtime does not implement this resource type');
      // What does nothing is changed and taken away without further ado.
      return { create: inert, update: inert, remove: () => undefined };
    }
    const unknown = Object.keys(properties).find((name) => !known.properties.includes(name));
    if (unknown !== undefined)
      throw new TemplateProblem(`the local runtime does not implement the property ${unknown}`);
    return known;
  }
}
