/** A template as CloudFormation keeps it; what is read of it is checked where it is read. */
export interface Template {
  readonly Metadata?: Readonly<Record<string, unknown>>;
  readonly Resources?: Readonly<Record<string, Resource>>;
}

export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** The two stacks of an exchange. */
export const STACKS = ['vault', 'exchange'] as const;
export type StackName = (typeof STACKS)[number];
export type Release = Readonly<Record<StackName, Template>>;

/** A resource of what is deployed, and what the next release makes of it. */
export interface Change {
  readonly stack: StackName;
  readonly id: string;
  readonly before: Resource;
  readonly after: Resource | undefined;
}

/** Why a release is not to be deployed as it is. */
export interface Finding {
  /** Stable. */
  readonly code: string;
  readonly resource: string;
  /** What would happen. */
  readonly what: string;
  /** What that would cost. */
  readonly why: string;
  /** What to do instead. */
  readonly next: string;
}

export const changesOf = (deployed: Release, next: Release): readonly Change[] =>
  STACKS.flatMap((stack) =>
    Object.entries(deployed[stack].Resources ?? {}).map(([id, before]) => ({
      stack,
      id,
      before,
      after: next[stack].Resources?.[id],
    })),
  );

export const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Names of the properties that differ. */
export function changedProperties({ before, after }: Change): string[] {
  const [was, is] = [before.Properties ?? {}, after?.Properties ?? {}];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((name) => !same(was[name], is[name]));
}

/** Whether what the resource stands for outlives it. */
export const isKept = (resource: Resource): boolean =>
  resource.DeletionPolicy === 'Retain' || resource.DeletionPolicy === 'RetainExceptOnCreate';

/** A value with its intrinsics as text: `${Id.Arn}:*`. An intrinsic that is not known stands as its JSON, and equals nothing else. */
export function rendered(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  const [[name, argument] = ['', undefined]] = Object.entries((value ?? {}) as Record<string, unknown>); // null has no members
  if (name === 'Ref') return `\${${String(argument)}}`;
  if (name === 'Fn::GetAtt' && Array.isArray(argument)) return `\${${argument.join('.')}}`;
  if (name === 'Fn::Join' && Array.isArray(argument) && Array.isArray(argument[1]))
    return argument[1].map(rendered).join(String(argument[0]));
  return JSON.stringify(value);
}

export const listOf = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];
