import type { Caller } from '../../iam/policy.ts';
import type { Host } from '../../service.ts';
import type { AccessCheck } from './access.ts';
import type { Conflicts } from './conflicts.ts';
import type { Idempotency } from './idempotency.ts';
import type { Tables } from './tables.ts';

/** What every operation works on. */
export interface Database {
  readonly host: Host;
  readonly tables: Tables;
  readonly access: AccessCheck;
  readonly conflicts: Conflicts;
  readonly idempotency: Idempotency;
}

/** One operation of the API: parameters as parsed from the wire, answer as it goes there. */
export type Operation = (database: Database, input: unknown, caller: Caller) => Promise<object>;
