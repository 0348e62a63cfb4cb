import type { GlobalIndex, Table } from './table.ts';

/**
 * Names of everything in the store. A table name cannot contain `~`, so no prefix is the beginning of another, and every key under a prefix
 * is less than the prefix followed by `~`.
 */
export const tableKey = (name: string): string => `table~${name}`;
export const itemsPrefix = (table: Table): string => `item~${table.name}~`;
export const indexPrefix = (table: Table, index: GlobalIndex): string => `index~${table.name}~${index.IndexName}~`;
export const recordsPrefix = (table: Table): string => `record~${table.name}~`;
export const TOKENS_PREFIX = 'token~';
export const SEQUENCE_KEY = 'sequence';
export const endOf = (prefix: string): string => `${prefix}~`;
