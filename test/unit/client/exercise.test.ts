import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Api } from '../../../bin/client/api.ts';
import { asProposed } from '../../../bin/client/directory-entries.ts';
import { openIssuers, readIssuers } from '../../../examples/exercise/issuer.ts';
import { issuerOf } from '../../../examples/exercise/nations.ts';
import { AGENCIES, FOUNDING_OFFICERS, PEOPLE, RECIPIENTS } from '../../../examples/exercise/people.ts';
import { enterPeople } from '../../../examples/exercise/set-up.ts';
import { REQUEST, TENDER, writeLargeDocument } from '../../../examples/exercise/tender.ts';
import { submitBody } from '../../../lambdas/contracts/api-bodies.ts';
import { personSchema } from '../../../lambdas/contracts/person-schema.ts';
import type { Agreement } from '../../../lambdas/domain/agreement.ts';
import { clearedUntil } from '../../../lambdas/domain/clearance.ts';
import { confirmChange, proposeChange, type DirectoryChange } from '../../../lambdas/domain/directory.ts';
import type { Instant } from '../../../lambdas/domain/instant.ts';
import type { Person } from '../../../lambdas/domain/people.ts';
import { couldDecide } from '../../../lambdas/domain/quorum.ts';
import { isRefusal } from '../../../lambdas/domain/refusal.ts';
import { newRecipientKey } from '../../../lambdas/evidence/sealed-key.ts';
import { digestOfBytes } from '../../../lambdas/evidence/digest.ts';
import { fakeExchange, temporaryFolder, valiza } from './harness.ts';

const folder = temporaryFolder();
const exchange = fakeExchange();
const NOW = '2027-03-01T09:00:00.000Z' as Instant; // its form
const AGREEMENT = JSON.parse(
  readFileSync(join(__dirname, '../../../agreements/CAN-UKR-EXERCISE/1.json'), 'utf8'),
) as Agreement; // schema-checked by the agreement's own tests

describe('the issuers', () => {
  test('keep their keys to themselves, and make them once', async () => {
    const home = join(folder, 'issuers');
    await expect(readIssuers(home)).rejects.toMatchObject({ code: 'ENOENT' });
    const [one, other] = await Promise.all([openIssuers(home), openIssuers(home)]);
    expect(one.jwks('CAN')).toEqual(other.jwks('CAN'));
    expect(one.jwks('CAN')).not.toEqual(one.jwks('UKR'));
    expect(JSON.stringify(one.jwks('UKR'))).not.toContain('"d"');
    expect(statSync(join(home, 'issuers.json')).mode & 0o777).toBe(0o600);
    expect((await readIssuers(home)).jwks('UKR')).toEqual(one.jwks('UKR'));
  });

  test('sign access tokens that last ten minutes at most', async () => {
    const issuers = await openIssuers(join(folder, 'issuers'));
    const asked = { person: 'ukr-requester-1', nation: 'UKR', audience: 'valiza:can-local', at: NOW } as const;
    const token = await issuers.signToken({ ...asked, seconds: 600 });
    const { payload } = await jwtVerify(token, createLocalJWKSet(issuers.jwks('UKR')), {
      issuer: issuerOf('UKR'),
      audience: 'valiza:can-local',
      algorithms: ['ES256'],
      typ: 'at+jwt',
      currentDate: new Date(NOW),
    });
    const at = Date.parse(NOW) / 1000;
    expect(payload).toMatchObject({ sub: 'ukr-requester-1', iat: at, auth_time: at, exp: at + 600 });
    expect(payload.jti).toMatch(/.{8}/);
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    await expect(
      jwtVerify(token, createLocalJWKSet(issuers.jwks('CAN')), { currentDate: new Date(NOW) }),
    ).rejects.toThrow();
    await expect(issuers.signToken({ ...asked, seconds: 601 })).rejects.toThrow(RangeError);
  });

  test('valiza token takes the time and the audience from the exchange', async () => {
    exchange.answers.set('GET /v1/healthz', () => ({
      headers: { date: 'Mon, 01 Mar 2027 09:00:00 GMT' },
      body: { status: 'ok', environment: 'can-local', nation: 'CAN' },
    }));
    const env = { VALIZA_EXERCISE: join(folder, 'issuers') };
    const { exit, stdout } = await valiza(exchange, ['token', '--as', 'ukr-requester-1'], { env });
    expect(exit).toBe(0);
    const keys = createLocalJWKSet((await openIssuers(env.VALIZA_EXERCISE)).jwks('UKR'));
    const { payload } = await jwtVerify(stdout.trim(), keys, { currentDate: new Date(NOW) });
    expect(payload).toMatchObject({ aud: 'valiza:can-local', iat: Date.parse(NOW) / 1000 });
  });
});

describe('the people', () => {
  test('are entries that the directory accepts, each one plainly an exercise', () => {
    for (const person of PEOPLE) {
      expect(personSchema.parse(person)).toEqual(person);
      expect(person.subjects).toEqual([`${issuerOf(person.nation as 'CAN' | 'UKR')}|${person.personId}`]); // one of the two
      expect(person.mail).toMatch(/@exercise\.valiza\.example$/);
      expect(Object.keys(AGENCIES)).toContain(person.agency);
    }
    expect(new Set(PEOPLE.map((person) => person.personId)).size).toBe(PEOPLE.length);
    expect(Object.values(AGENCIES).every((name) => name.startsWith('EXERCISE '))).toBe(true);
  });

  test.each([
    ['CAN', 'UKR', 'PROTECTED A'],
    ['UKR', 'CAN', 'Для службового користування'],
  ] as const)('%s can decide what %s asks for, and those who take part are cleared', (nation, other, mark) => {
    const marking = { axis: 'protected', nation: nation as string as Person['nation'], mark } as const;
    const deciders = PEOPLE.filter((row) => row.nation === nation);
    expect(couldDecide(['releasing-officer', 'security-officer'], deciders)).toBe(true);
    for (const person of [...deciders, ...PEOPLE.filter((row) => row.nation === other)]) {
      expect(clearedUntil(AGREEMENT, person, marking, person.nation)).toBe('2040-01-01T00:00:00.000Z');
    }
  });
});

describe('the set-up', () => {
  /** The directory as the API keeps it, by the rules of the domain. */
  function directory() {
    const people = new Map(FOUNDING_OFFICERS.map((person) => [person.personId, person]));
    const changes: DirectoryChange[] = [];
    const checked = (result: ReturnType<typeof proposeChange>): DirectoryChange => {
      if (isRefusal(result)) throw new Error(result.message);
      return result;
    };
    const apiAs = (personId: string): Api => {
      const officer = FOUNDING_OFFICERS.find((row) => row.personId === personId);
      if (officer === undefined) throw new Error(`${personId} is no founding officer.`);
      const api: Partial<Api> = {
        listChanges: async () =>
          ({ changes: [...changes].reverse().filter((row) => row.nation === officer.nation) }) as never, // the same in JSON
        proposeChange: async ({ body }) => {
          const { publicKeys, ...rest } = body.person;
          const keys = publicKeys.map((publicKey) => ({
            publicKey,
            fingerprint: digestOfBytes(Buffer.from(publicKey, 'base64url')),
          }));
          const person = personSchema.parse({ ...rest, keys, nation: officer.nation });
          const changeId = String(changes.length).padStart(32, '0');
          const proposal = { changeId, person, effectiveFrom: NOW };
          changes.push(checked(proposeChange(proposal, officer, people.get(person.personId), NOW)));
          return changes.at(-1) as never; // the same in JSON
        },
        confirmChange: async ({ params }) => {
          const index = changes.findIndex((row) => row.changeId === params.changeId);
          const change = changes[index];
          if (change === undefined) throw new Error('No such change.');
          const confirmed = checked(confirmChange(change, officer, people.get(change.person.personId), NOW));
          changes[index] = confirmed;
          people.set(confirmed.person.personId, confirmed.person);
          return confirmed as never; // the same in JSON
        },
      };
      return api as Api; // what the set-up uses
    };
    return { people, changes, apiAs };
  }

  test('enters everyone, two people to each, and does nothing a second time', async () => {
    const { people, changes, apiAs } = directory();
    const setUp = { apiAs, keysFolder: join(folder, 'keys'), at: NOW };
    const first = await enterPeople(setUp);
    expect([...first.entered].sort()).toEqual(
      PEOPLE.filter((row) => !FOUNDING_OFFICERS.includes(row))
        .map((row) => row.personId)
        .sort(),
    );
    expect(people.size).toBe(PEOPLE.length);
    for (const personId of RECIPIENTS) expect(people.get(personId)?.keys).toHaveLength(1);
    expect(changes.every((change) => change.confirmedBy !== null && change.confirmedBy !== change.proposedBy)).toBe(
      true,
    );
    const count = changes.length;
    const second = await enterPeople(setUp);
    expect(second.entered).toEqual([]);
    expect(second.unchanged).toHaveLength(first.entered.length);
    expect(changes).toHaveLength(count);
  });

  test('leaves a key alone that was confirmed beside its own', async () => {
    const { people, changes, apiAs } = directory();
    const setUp = { apiAs, keysFolder: join(folder, 'keys'), at: NOW };
    await enterPeople(setUp);
    const [personId] = RECIPIENTS;
    const person = people.get(personId as Person['personId']); // there is one
    if (person === undefined) throw new Error('The recipient was not entered.');
    const { publicKey } = await newRecipientKey();
    const officer = (part: string): Api => apiAs(`${person.nation.toLowerCase()}-${part}`);
    const { publicKeys, ...entry } = asProposed(person);
    const body = { person: { ...entry, publicKeys: [...publicKeys, publicKey] } };
    const { changeId } = await officer('directory-1').proposeChange({ body });
    await officer('authority-1').confirmChange({ params: { changeId }, body: {} });
    const count = changes.length;
    expect((await enterPeople(setUp)).entered).toEqual([]);
    expect(changes).toHaveLength(count);
    expect(people.get(person.personId)?.keys).toHaveLength(2);
  });

  test('goes on where an earlier one stopped', async () => {
    const { people, changes, apiAs } = directory();
    const stopping = (personId: string): Api => ({
      ...apiAs(personId),
      confirmChange: async () => Promise.reject(new Error('stopped')),
    });
    const keysFolder = join(folder, 'keys');
    await expect(enterPeople({ apiAs: stopping, keysFolder, at: NOW })).rejects.toThrow('stopped');
    expect(changes.length).toBeGreaterThan(0);
    await enterPeople({ apiAs, keysFolder, at: NOW });
    // Nobody is proposed twice.
    expect(new Set(changes.map(({ person }) => person['personId'])).size).toBe(changes.length);
    expect(people.size).toBe(PEOPLE.length);
  });
});

describe('the documents', () => {
  test('the tender says EXERCISE on every page', () => {
    const pages = readFileSync(TENDER, 'utf8').split('\n---\n');
    expect(pages).toHaveLength(4);
    for (const page of pages) expect(page.trim()).toMatch(/^\*\*EXERCISE/);
  });

  test('the request is one that the API accepts', () => {
    expect(submitBody.safeParse(JSON.parse(readFileSync(REQUEST, 'utf8'))).success).toBe(true);
  });

  test('the large document is the same whenever it is made', async () => {
    const digestAt = async (path: string): Promise<string> => {
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
      return hash.digest('hex');
    };
    const [one, other] = [join(folder, 'one.bin'), join(folder, 'other.bin')];
    await writeLargeDocument(one, 3_000_000);
    await writeLargeDocument(other, 3_000_000);
    expect(statSync(one).size).toBe(3_000_000);
    expect(await digestAt(one)).toBe(await digestAt(other));
  });
});
