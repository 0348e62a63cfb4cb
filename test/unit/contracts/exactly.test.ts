import * as z from 'zod';
import { exactly } from '../../../lambdas/contracts/exactly.ts';

interface Entry {
  readonly name: string;
  readonly tags: readonly string[];
  readonly note?: string;
}
const tags = z.array(z.string());

const note = z.string().optional();
const lacking = z.strictObject({ name: z.string(), tags });
const stricter = z.strictObject({ name: z.string(), tags, note: z.string() });
const wider = z.strictObject({ name: z.string(), tags, note, more: note });
const other = z.strictObject({ name: z.string(), tags: z.array(z.number()), note });
const narrower = z.strictObject({ name: z.literal('x'), tags, note });

// What this test tests is whether the file compiles: an unused @ts-expect-error is an error of the type check.
it('ties a schema to a type: any difference, in either direction, does not compile', () => {
  const same = exactly<Entry>()(z.strictObject({ name: z.string(), tags, note }));
  const different = [
    // @ts-expect-error -- an optional member is missing from the schema
    exactly<Entry>()(lacking),
    // @ts-expect-error -- the schema asks for what the type leaves open
    exactly<Entry>()(stricter),
    // @ts-expect-error -- the schema has an optional member that the type has not
    exactly<Entry>()(wider),
    // @ts-expect-error -- a member has another type
    exactly<Entry>()(other),
    // @ts-expect-error -- a member is narrower
    exactly<Entry>()(narrower),
  ];
  const entry = { name: 'a', tags: ['b'] };
  expect(same.parse(entry)).toEqual(entry);
  expect(different).toHaveLength(5);
});
