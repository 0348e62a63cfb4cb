import type * as z from 'zod';

/** Values without members: branded strings stay whole. */
type Scalar = string | number | boolean | null | undefined;

/** The same type with every member present and read-only, so that a member missing on one side shows, optional or not. */
type Members<T> = T extends Scalar ? T : { readonly [K in keyof T]-?: Members<T[K]> };
/** The same type, read-only as the domain's are. */
type Fixed<T> = T extends Scalar ? T : { readonly [K in keyof T]: Fixed<T[K]> };
type Alike<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Same<A, B> = [Alike<Fixed<A>, Fixed<B>>, Alike<Members<A>, Members<B>>] extends [true, true] ? true : false;

/**
 * Ties a schema to a type of the domain: it compiles only while what the schema gives is that type, member for member, so that neither
 * can change without the other.
 * @example exactly<Agreement>()(z.strictObject({ … }))
 */
export const exactly =
  <Domain>() =>
  <Schema extends z.ZodType>(
    schema: Same<z.output<Schema>, Domain> extends true ? Schema : 'this schema and the type of the domain differ',
  ): z.ZodType<Domain> =>
    // The parameter's type has proved it; the conditional type hides the schema's own.
    schema as unknown as z.ZodType<Domain>;
