/**
 * What is used of dynalite 4.0.0, which ships no types: its request validations, expression parsers, key encodings and LevelDB.
 * They are private API of a version that is pinned.
 */
declare module 'dynalite/db/index.js' {
  type Problem =
    (Error & { readonly statusCode: number; readonly body: { readonly message: string } }) | null | undefined;
  interface Database {
    close(): Promise<void>;
  }
  export function create(options: { path?: string }): { readonly db: Database };
  export function validateKey(key: object, schema: object): Problem;
  export function validateItem(item: object, schema: object): Problem;
  export function validateUpdates(legacy: undefined, updates: object | undefined, schema: object): Problem;
  export function validateKeyPaths(nestedPaths: object | undefined, schema: object): Problem;
  export function createKey(item: object, schema: object, keySchema?: readonly object[]): string;
  export function hashPrefix(value: string, type: string): string;
  export function toRangeStr(value: object): string;
  export function compare(operator: string, left: object, right: readonly object[]): boolean;
  export function mapPaths(paths: readonly (readonly (string | number)[])[], item: object): Record<string, never>;
}

declare module 'dynalite/validations/index.js' {
  export function checkTypes(input: object, types: object): Record<string, unknown>;
  export function checkValidations(input: object, types: object, custom: unknown, store: object): void;
  /** Also rewrites numbers in place to the form DynamoDB stores. */
  export function validateAttributeValue(value: object): string | undefined;
}

declare module 'dynalite/validations/getItem.js' {
  export const types: object;
  export const custom: unknown;
}
declare module 'dynalite/validations/putItem.js' {
  export const types: object;
  export const custom: unknown;
}
declare module 'dynalite/validations/updateItem.js' {
  export const types: object;
  export const custom: unknown;
}
declare module 'dynalite/validations/deleteItem.js' {
  export const types: object;
  export const custom: unknown;
}
declare module 'dynalite/validations/query.js' {
  export const types: object;
  export const custom: unknown;
}
declare module 'dynalite/validations/batchGetItem.js' {
  export const types: object;
  export const custom: unknown;
}
declare module 'dynalite/validations/createTable.js' {
  export const types: object;
  export const custom: unknown;
}
declare module 'dynalite/validations/describeTable.js' {
  export const types: object;
}
