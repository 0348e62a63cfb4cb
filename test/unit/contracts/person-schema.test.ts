import { createECDH } from 'node:crypto';
import { personSchema } from '../../../lambdas/contracts/person-schema.ts';
import { digest } from '../../support/domain.ts';

const publicKey = (): string => {
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  return pair.getPublicKey().toString('base64url');
};

const PERSON = {
  personId: 'olena-k-01',
  nation: 'UKR',
  agency: 'ukr-agency',
  subjects: ['subject-1'],
  roles: ['requester'],
  clearances: [{ axis: 'classified', mark: 'Цілком таємно', validTo: '2027-01-01T00:00:00.000Z' }],
  citizenships: ['UKR'],
  mail: 'olena@example.org',
  language: 'uk',
  zone: 'Europe/Kyiv',
  keys: [{ fingerprint: digest('key'), publicKey: publicKey() }],
  conflicts: ['ukr-other'],
  active: true,
};
const key = (members: object) => [{ ...PERSON.keys[0], ...members }];
const many = (count: number, of: (index: number) => unknown): unknown[] =>
  Array.from({ length: count }, (_, index) => of(index));

describe('a malformed entry is refused', () => {
  it.each<[string, object]>([
    ['an unknown member', { nickname: 'O' }],
    ['an id with capitals', { personId: 'Olena' }],
    ['an id that is too short', { personId: 'ok' }],
    ['an id that is too long', { personId: 'a'.repeat(41) }],
    ['an id with a Cyrillic letter', { personId: 'оlena' }],
    ['a nation of two letters', { nation: 'UA' }],
    ['an agency with a space', { agency: 'ukr agency' }],
    ['no account', { subjects: [] }],
    ['an account twice', { subjects: ['a', 'a'] }],
    ['too many accounts', { subjects: many(11, String) }],
    ['an unknown role', { roles: ['administrator'] }],
    ['a role twice', { roles: ['auditor', 'auditor'] }],
    ['a clearance without an end', { clearances: [{ axis: 'classified', mark: 'SECRET' }] }],
    ['a clearance that ends on a day', { clearances: [{ axis: 'classified', mark: 'SECRET', validTo: '2027-01-01' }] }],
    ['a clearance on an unknown axis', { clearances: [{ ...PERSON.clearances[0], axis: 'secret' }] }],
    ['no citizenship', { citizenships: [] }],
    ['a citizenship twice', { citizenships: ['UKR', 'UKR'] }],
    ['no mail address', { mail: 'olena' }],
    ['a mail address with a name', { mail: 'Olena <olena@example.org>' }],
    ['two lines in a mail address', { mail: 'olena@example.org\nBcc: x@example.org' }],
    ['a language the product does not speak', { language: 'de' }],
    ['a language in capitals', { language: 'UK' }],
    ['a zone that does not exist', { zone: 'Europe/Atlantis' }],
    ['an offset', { zone: '+02:00' }],
    ['an empty zone', { zone: '' }],
    ['a key in hexadecimal', { keys: key({ publicKey: '04'.repeat(65) }) }],
    [
      'a compressed key',
      { keys: key({ publicKey: Buffer.concat([Buffer.of(2), Buffer.alloc(32, 1)]).toString('base64url') }) },
    ],
    [
      'a key of 64 bytes',
      { keys: key({ publicKey: Buffer.concat([Buffer.of(4), Buffer.alloc(63, 1)]).toString('base64url') }) },
    ],
    [
      'a key of 65 bytes that begins otherwise',
      { keys: key({ publicKey: Buffer.alloc(65, 5).toString('base64url') }) },
    ],
    ['a key with padding', { keys: key({ publicKey: `${publicKey()}=` }) }],
    ['a key with stray bits', { keys: key({ publicKey: `${publicKey().slice(0, -1)}B` }) }],
    ['a key without its fingerprint', { keys: [{ publicKey: publicKey() }] }],
    ['a fingerprint twice', { keys: [PERSON.keys[0], { ...PERSON.keys[0], publicKey: publicKey() }] }],
    ['too many keys', { keys: many(6, (index) => ({ fingerprint: digest(index), publicKey: publicKey() })) }],
    ['a conflict with no agency', { conflicts: [''] }],
    ['active as a text', { active: 'true' }],
  ])('%s', (_, members) => {
    expect(personSchema.safeParse({ ...PERSON, ...members }).success).toBe(false);
  });

  it.each(Object.keys(PERSON))('%s left out', (member) => {
    expect(personSchema.safeParse({ ...PERSON, [member]: undefined }).success).toBe(false);
  });
});

it('reads a person as they stand', () => {
  expect(personSchema.parse(PERSON)).toEqual(PERSON);
});

it.each(['UTC', 'America/Toronto', 'Europe/Kyiv', 'America/Argentina/Buenos_Aires'])('knows the zone %s', (zone) => {
  expect(personSchema.safeParse({ ...PERSON, zone }).success).toBe(true);
});

it('takes every uncompressed point', () => {
  for (let tries = 0; tries < 50; tries += 1) {
    expect(personSchema.safeParse({ ...PERSON, keys: key({ publicKey: publicKey() }) }).success).toBe(true);
  }
});
