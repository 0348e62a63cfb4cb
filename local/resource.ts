import type { Host } from './service.ts';

/** Properties of a resource with every intrinsic resolved. */
export type Properties = Readonly<Record<string, unknown>>;

/** What a created resource answers to `Ref` and `Fn::GetAtt`. */
export interface Created {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ResourceContext {
  readonly host: Host;
  readonly stackName: string;
  readonly logicalId: string;
  /** `<stack>-<logicalId>` shortened, for resources without a name of their own. Stable between starts. */
  readonly physicalName: (limit?: number) => string;
  /** Directory of the assembly, for assets. */
  readonly assemblyDirectory: string;
  /** Whether what the resource stands for outlives it (DeletionPolicy Retain). */
  readonly kept: boolean;
}

/**
 * One CloudFormation resource type that the runtime can create.
 * `properties` lists every property that is understood or has no effect on a laptop; any other stops the start with its name.
 */
export interface ResourceType {
  readonly type: string;
  readonly properties: readonly string[];
  create(properties: Properties, context: ResourceContext): Promise<Created> | Created;
  /** Changes what was created; a type without it is changed by no deployment. @param before its properties until now */
  update?(properties: Properties, context: ResourceContext, before: Properties): Promise<Created> | Created;
  /** Whether such a change makes a new resource in its place, which no deployment here does. */
  replaces?(before: Properties, after: Properties): boolean;
  /** The resource is gone from its template; a type without it can only be kept. */
  remove?(properties: Properties, context: ResourceContext): Promise<void> | void;
}
