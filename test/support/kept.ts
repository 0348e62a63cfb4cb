import { createHash } from 'node:crypto';
import type { Scene } from './exchange.ts';

/** What the sweep and the consumers note beside the facts, whenever they look. */
const NOTES = ['dueKey', 'dueSort', 'nudges', 'attempt'];

/**
 * One digest of everything an exchange keeps that somebody could have wanted to change: events, heads, numbers, people, idempotency
 * records, waiting tokens, and how many mails went out. Notes of when to look again, and of how far a consumer got, are left out.
 */
export async function keptBy({ runtime }: Scene): Promise<string> {
  const hash = createHash('sha256');
  for (const [table, items] of await runtime.services.dynamodb.items()) {
    hash.update(table);
    for (const item of items) {
      if (JSON.stringify(item['sk'] ?? '').includes('SEEN#')) continue;
      const facts = Object.entries(item).filter(([name]) => !NOTES.includes(name));
      hash.update(JSON.stringify(facts.sort(([one], [other]) => (one < other ? -1 : 1))));
    }
  }
  return hash.update(runtime.services.ses.outbox.toJson()).digest('hex');
}
