import * as z from 'zod';
import type { Person } from '../domain/people.ts';
import { exactly } from './exactly.ts';
import { agency, axis, digest, instant, language, mark, nation, personId, role } from './values.ts';

/** An uncompressed P-256 point (SEC 1 §2.3.3): 65 bytes of which the first is 4, base64url without padding and without stray bits. */
const P256_POINT = /^B[A-P][A-Za-z0-9_-]{84}[AEIMQUYcgkosw048]$/;

/** Whether the runtime knows it as a time zone by name; an offset such as +02:00 is no zone, because it does not follow summer time. */
function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const distinct = <T>(item: z.ZodType<T>, most: number, keyOf: (value: T) => string = String) =>
  z
    .array(item)
    .max(most)
    .refine((list) => new Set(list.map(keyOf)).size === list.length, 'must not name anything twice');

/** A person as the directory keeps them: whether mail reaches them is no part of the entry. That a key's fingerprint is that of its bytes is for whoever accepts the key to compute. */
export const personSchema = exactly<Omit<Person, 'unreachable'>>()(
  z.strictObject({
    personId,
    nation,
    agency,
    subjects: distinct(z.string().min(1).max(255), 10).min(1),
    roles: distinct(role, 7),
    clearances: z.array(z.strictObject({ axis, mark, validTo: instant })).max(20),
    citizenships: distinct(nation, 5).min(1),
    mail: z.email().max(254),
    language,
    zone: z.string().max(64).refine(isZone, 'must be a time zone by name, as in Europe/Kyiv'),
    keys: distinct(
      z.strictObject({
        fingerprint: digest,
        publicKey: z.string().regex(P256_POINT, 'must be an uncompressed P-256 point in base64url'),
      }),
      5,
      (key) => key.fingerprint,
    ),
    conflicts: distinct(agency, 50),
    active: z.boolean(),
  }),
);
