import type { StreamRecord } from '../../ports.ts';
import type { Host } from '../../service.ts';
import { equalItems, type Item } from './attribute-value.ts';
import { tableNotFound } from './errors.ts';
import { IndexHistory } from './index-history.ts';
import { indexPrefix, itemsPrefix } from './keys.ts';
import type { Store, View } from './store.ts';
import { StreamLog, type Change } from './stream-log.ts';
import { indexEntry, indexesOf, itemPosition, primaryKey, type Table } from './table.ts';

/** The tables of this start, with their items, indexes and streams in one store. */
export class Tables {
  readonly store: Store;
  readonly history: IndexHistory;
  readonly #host: Host;
  readonly #tables = new Map<string, Table>();
  readonly #streams = new Map<string, StreamLog>();

  constructor(host: Host, store: Store) {
    this.#host = host;
    this.store = store;
    this.history = new IndexHistory(host.clock, host.faults);
  }

  add(table: Table): void {
    this.#tables.set(table.name, table);
    if (table.stream === undefined) return;
    this.#streams.set(
      table.stream.arn,
      new StreamLog(table, table.stream, this.#host.region, this.store, this.#host.clock),
    );
  }

  has(name: string): boolean {
    return this.#tables.has(name);
  }

  /** @throws ResourceNotFoundException */
  get(name: string): Table {
    const table = this.#tables.get(name);
    if (table === undefined) throw tableNotFound();
    return table;
  }

  all(): readonly Table[] {
    return [...this.#tables.values()];
  }

  stream(arn: string): StreamLog | undefined {
    return this.#streams.get(arn);
  }

  streams(): readonly StreamLog[] {
    return [...this.#streams.values()];
  }

  arnOf(name: string): string {
    return `arn:aws:dynamodb:${this.#host.region}:${this.#host.account}:table/${name}`;
  }

  item(from: Pick<View, 'get'>, table: Table, key: Item): Item | undefined {
    return from.get<Item>(itemsPrefix(table) + itemPosition(table, key));
  }

  /** Writes a change of one item with its index entries and its stream record. A change that changes nothing leaves no trace. */
  apply(view: View, table: Table, change: Change, by?: StreamRecord['userIdentity']): void {
    if (equalItems(change.before, change.after)) return;
    this.place(view, table, change);
    if (table.stream !== undefined) this.stream(table.stream.arn)?.append(view, change, by);
  }

  /** Writes a change of one item with its index entries, and no stream record. */
  place(view: View, table: Table, { before, after }: Change): void {
    const itemKey = itemsPrefix(table) + itemPosition(table, primaryKey(table, after ?? before ?? {}));
    if (after === undefined) view.delete(itemKey);
    else view.put(itemKey, after);
    for (const index of indexesOf(table)) {
      const prefix = indexPrefix(table, index);
      const old = indexEntry(table, index, before);
      const entry = indexEntry(table, index, after);
      if (old !== undefined && old.position !== entry?.position)
        this.#putEntry(view, prefix + old.position, old.image, undefined);
      if (entry === undefined) continue;
      const replaced = old?.position === entry.position ? old.image : undefined;
      if (!equalItems(replaced, entry.image)) this.#putEntry(view, prefix + entry.position, replaced, entry.image);
    }
  }

  #putEntry(view: View, key: string, before: Item | undefined, after: Item | undefined): void {
    this.history.remember(key, before);
    if (after === undefined) view.delete(key);
    else view.put(key, after);
  }
}
