import * as z from 'zod';
import type { Created, ResourceContext, ResourceType } from '../resource.ts';
import { notImplemented } from '../service.ts';

/** Templates may carry booleans and numbers as text. */
export const booleanProperty = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
export const numberProperty = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/)
    .transform(Number),
]);

/** A property that has no effect on a laptop: accepted whatever it holds. */
export const inertProperty = z.unknown().optional();

/** `Name=Value` tags of a resource: no service here decides by them. */
export const tagsProperty = inertProperty;

/**
 * A resource type whose properties are checked, to any depth, against `schema`: what the schema does not name stops the start
 * with its path. Use strict objects for everything nested.
 */
export const resourceType = <Shape extends z.ZodRawShape>(
  type: string,
  schema: z.ZodObject<Shape, z.core.$strict>,
  create: (properties: z.output<typeof schema>, context: ResourceContext) => Created | Promise<Created>,
): ResourceType => ({
  type,
  properties: Object.keys(schema.shape),
  create: (properties, context) => {
    const read = schema.safeParse(properties);
    if (!read.success) throw notImplemented(`${type} ${context.logicalId} as written: ${explain(read.error)}`);
    return create(read.data, context);
  },
});

const explain = (error: z.ZodError): string =>
  error.issues.map((issue) => `${issue.path.join('.') || 'properties'}: ${issue.message}`).join('; ');
