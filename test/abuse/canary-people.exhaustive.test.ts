import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetPublicKeyCommand, SignCommand } from '@aws-sdk/client-kms';
import { marshall } from '@aws-sdk/util-dynamodb';
import { generateKeyPairSync, sign } from 'node:crypto';
import { apiOf, type Api } from '../../bin/client/api.ts';
import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { canaryIssuer } from '../../lambdas/domain/canary.ts';
import type { Nation } from '../../lambdas/domain/ids.ts';
import { fromEpoch } from '../../lambdas/domain/instant.ts';
import { canaryOfExchange, canaryPeople } from '../../lambdas/platform/canary.ts';
import { examined } from '../support/examined.ts';
import { openScene, problemOf, refusalOf, type Scene } from '../support/exchange.ts';
import { insiderOf, ROLE_WORDS, type Insider } from '../support/insider.ts';

jest.setTimeout(120_000);

const CAN = 'CAN' as Nation;
const PEOPLE = canaryPeople(CAN);
const canary = canaryOfExchange(CAN);
if (canary === undefined) throw new Error('There is no canary.');
const { requester, recipient } = canary;

let scene: Scene;
let inside: Insider;
/** Of the exercise's people, in each phase in which something could be done to it. */
let theirs: CaseView[];
/** The canary's own. */
let its: CaseView;

beforeAll(async () => {
  scene = await openScene();
  inside = insiderOf(scene);
  theirs = [
    await scene.reach('PROPOSED'),
    await scene.reach('AWAITING_CLARIFICATION'),
    await scene.reach('AWAITING_ASSURANCE'),
    await scene.reach('RELEASED'),
  ];
  its = await asPerson(requester.personId).submitRequest({ body: submission() });
  await scene.runtime.settled();
});
afterEach(() => examined('attacks', 1));
afterAll(async () => {
  inside.close();
  await scene.close();
});

const submission = (wish: object = {}) => ({
  agreementId: 'CAN-UKR-EXERCISE',
  purpose: 'tender',
  justification: 'EXERCISE.',
  title: 'EXERCISE',
  description: 'EXERCISE.',
  levelSought: { axis: 'protected' as const, mark: scene.mark },
  recipients: [recipient.personId as string],
  language: 'en' as const,
  ...wish,
});

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What a token says, and is yet to be signed. */
function unsigned(wish: object = {}): string {
  const now = Math.floor(scene.runtime.clock.now() / 1000);
  const claims = { iss: canaryIssuer('UKR' as Nation), aud: 'valiza:can-local', iat: now, exp: now + 300, ...wish };
  return `${encoded({ alg: 'ES256', typ: 'at+jwt' })}.${encoded(claims)}`;
}

/** A token as whoever holds the canary's credentials could make any. */
async function token(wish: object): Promise<string> {
  const content = unsigned(wish);
  const { Signature = new Uint8Array() } = await inside.as('run-canary').kms.send(
    new SignCommand({
      KeyId: inside.canaryKey,
      Message: Buffer.from(content),
      MessageType: 'RAW',
      SigningAlgorithm: 'ECDSA_SHA_256',
    }),
  );
  const der = Buffer.from(Signature);
  const length = der.readUInt8(3);
  const numbers = [der.subarray(4, 4 + length), der.subarray(6 + length)];
  const raw = numbers.map((number) => Buffer.concat([Buffer.alloc(32), number]).subarray(-32));
  return `${content}.${Buffer.concat(raw).toString('base64url')}`;
}

const withToken = (make: () => Promise<string>): Api =>
  apiOf({ exchange: scene.runtime.url, credential: { token: make } });

const known = new Map<string, Promise<string>>();

/** The API as a person of a canary's issuer, whoever that is. The clock stands still here, so one token does for each. */
const asPerson = (personId: string): Api => {
  const iss = canaryIssuer(personId.slice(0, 3).toUpperCase() as Nation);
  const own = known.get(personId) ?? token({ iss, sub: personId });
  known.set(personId, own);
  return withToken(() => own);
};

const DIGEST = `sha256:${'0'.repeat(64)}`;

/** Everything that can be asked about a case. */
const onCase = (
  api: Api,
  { caseId, proposalDigest = DIGEST }: CaseView,
): Readonly<Record<string, Promise<unknown>>> => {
  const params = { caseId };
  const body = { reason: 'Because.' };
  return {
    readCase: api.readCase({ params }),
    readEvents: api.readEvents({ params }),
    clarify: api.clarify({ params, body: { question: 'Why?' } }),
    openDeposit: api.openDeposit({ params, body: { digest: DIGEST, length: 1 } }),
    completeDeposit: api.completeDeposit({ params: { caseId, depositId: '0'.repeat(32) }, body: {} }),
    putProposal: api.putProposal({
      params,
      body: {
        documents: [
          { depositId: '0'.repeat(32), title: 'One', marking: { axis: 'protected', mark: scene.mark }, pages: 1 },
        ],
        recipients: [{ personId: recipient.personId, keyFingerprint: DIGEST }],
        conditions: [],
        copies: 1,
        notAfter: new Date(scene.runtime.clock.now() + 60_000).toISOString(),
      },
    }),
    castDecision: api.castDecision({ params, proposalDigest, body: { verdict: 'approve' } }),
    giveAssurance: api.giveAssurance({ params, body: { verdict: 'give', proposalDigest } }),
    grantAccess: api.grantAccess({ params, body: {} }),
    acknowledgeReceipt: api.acknowledgeReceipt({ params, body: { accessId: '0'.repeat(32), digest: DIGEST } }),
    suspendRelease: api.suspendRelease({ params, body }),
    resumeRelease: api.resumeRelease({ params }),
    recallRelease: api.recallRelease({ params, body }),
    withdrawRequest: api.withdrawRequest({ params, body }),
  };
};

async function nothingOf(api: Api, seen: CaseView): Promise<void> {
  const calls = onCase(api, seen);
  const answers = await Promise.all(
    Object.entries(calls).map(async ([name, call]) => [name, await refusalOf(call)] as const),
  );
  expect(answers).toEqual(Object.keys(calls).map((name) => [name, '404 NOT_FOUND']));
}

describe('people of the canary', () => {
  it.each(PEOPLE.map(({ personId }) => personId))('%s: cases of others do not exist', async (personId) => {
    for (const seen of theirs) {
      const before = (await scene.read(seen.caseId)).sequence;
      await nothingOf(asPerson(personId), seen);
      expect((await scene.read(seen.caseId)).sequence).toBe(before);
    }
  });

  it.each(PEOPLE.map(({ personId }) => personId))(
    '%s: no queue, no directory, and a list of its own',
    async (personId) => {
      const api = asPerson(personId);
      for (const phase of ['UNDER_REVIEW', 'AWAITING_ASSURANCE', 'RELEASED']) {
        expect(await refusalOf(api.listCases({ query: { view: 'queue', phase } }))).toBe('403 NO_QUEUE');
      }
      const { cases } = await api.listCases({ query: { view: 'own' } });
      expect(cases.map(({ caseId }) => caseId)).toEqual(personId === requester.personId ? [its.caseId] : []);
      for (const nation of ['CAN', 'UKR']) {
        expect(await refusalOf(api.listChanges({ query: { nation } }))).toBe('404 NOT_FOUND');
      }
    },
  );

  it('change and confirm nothing in a directory', async () => {
    const { changes } = await scene.as('ukr-directory-1').listChanges();
    const { person, changeId } = changes[0] ?? { person: undefined, changeId: '' };
    if (person === undefined) throw new Error('There is a change.');
    const { keys: _keys, nation: _nation, ...rest } = person as unknown as Record<string, unknown>;
    for (const { personId } of PEOPLE) {
      const api = asPerson(personId);
      const proposing = api.proposeChange({ body: { person: { ...rest, publicKeys: [] } as never } });
      expect(await refusalOf(proposing)).toBe('403 NOT_A_DIRECTORY_OFFICER');
      expect(await refusalOf(api.confirmChange({ params: { changeId }, body: {} }))).toMatch(/^(403|404|409) /);
    }
  });

  it('ask for nothing real, and for nobody else', async () => {
    const api = asPerson(requester.personId);
    const real = api.submitRequest({ body: submission({ agreementId: 'CAN-UKR' }) });
    expect(await refusalOf(real)).toBe('403 CANARY_EXERCISE_ONLY');
    const forOthers = api.submitRequest({ body: submission({ recipients: [scene.who.recipient] }) });
    expect(await refusalOf(forOthers)).toBe('400 RECIPIENT_UNKNOWN');
    const others = scene.as(scene.who.requester).submitRequest({ body: submission() });
    expect(await refusalOf(others)).toBe('400 RECIPIENT_UNKNOWN');
  });
});

it.each(['desk', 'releasing', 'security', 'authority', 'requester', 'recipient', 'recipientAuthority'] as const)(
  'a case of the canary does not exist for the %s',
  async (part) => {
    await nothingOf(scene.as(scene.who[part]), its);
    const { caseId } = its;
    const { cases } = await scene.as(scene.who.desk).listCases({ query: { view: 'queue', phase: 'UNDER_REVIEW' } });
    expect(cases.map((row) => row.caseId)).not.toContain(caseId);
  },
);

describe('a token', () => {
  it('for a subject that is not the canary’s names nobody', async () => {
    for (const [nation, sub] of [
      ['UKR', 'ukr-authority-1'],
      ['CAN', 'can-authority-1'],
      ['CAN', requester.personId],
      ['UKR', 'UKR|ukr-authority-1'],
      ['UKR', `${requester.personId} `],
    ] as const) {
      const api = withToken(() => token({ iss: canaryIssuer(nation as Nation), sub }));
      expect([sub, await refusalOf(api.listAgreements())]).toEqual([sub, '403 NOT_IN_DIRECTORY']);
    }
  });

  it('of a nation’s own issuer does not name a person of the canary', async () => {
    for (const { personId, nation } of PEOPLE) {
      const given = {
        person: personId,
        nation: nation as string as 'CAN' | 'UKR',
        audience: 'valiza:can-local',
        at: fromEpoch(scene.runtime.clock.now()),
      };
      const api = withToken(() => scene.exchange.issuers.signToken(given));
      expect([personId, await refusalOf(api.listAgreements())]).toEqual([personId, '403 NOT_IN_DIRECTORY']);
    }
  });

  it('that another key signed, or for another exchange, or of an issuer that only looks like it, is not accepted', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const sub = requester.personId;
    const forged = unsigned({ sub });
    const signature = sign('sha256', Buffer.from(forged), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const tokens = [
      `${forged}.${signature.toString('base64url')}`,
      `${forged}.${Buffer.alloc(64).toString('base64url')}`,
      await token({ sub, aud: 'valiza:ukr-local' }),
      await token({ sub, exp: Math.floor(scene.runtime.clock.now() / 1000) + 3600 }),
      await token({ sub, iss: 'urn:valiza:canary:ukr' }),
      await token({ sub, iss: 'urn:valiza:canary:UKR/' }),
      await token({ sub, iss: 'https://exercise.valiza.example/ukr' }),
    ];
    for (const bad of tokens) {
      const { status } = await problemOf(withToken(async () => bad).listAgreements());
      expect(status).toBe(401);
    }
  });

  it('of the canary names nobody else, even if the directory’s table says so', async () => {
    const subject = `${canaryIssuer('UKR' as Nation)}|ukr-authority-1`;
    const put = (item: object) =>
      inside.as('api').dynamodb.send(new PutItemCommand({ TableName: inside.directory, Item: marshall(item) }));
    const at = new Date(scene.runtime.clock.now()).toISOString();
    const entry = {
      ...scenePerson('ukr-authority-1'),
      subjects: [subject, 'https://exercise.valiza.example/ukr|ukr-authority-1'],
    };
    await put({ pk: `SUBJECT#UKR#${subject}`, sk: 'OWNER', personId: 'ukr-authority-1' });
    await put({
      pk: 'PEOPLE#UKR',
      sk: `ukr-authority-1#${at}#forged`,
      effectiveFrom: at,
      confirmedAt: at,
      body: JSON.stringify(entry),
    });
    const api = withToken(() => token({ sub: 'ukr-authority-1' }));
    expect(await refusalOf(api.listAgreements())).toBe('403 NOT_IN_DIRECTORY');
    // The entry was read: the other credential of it still names them.
    expect((await scene.as('ukr-authority-1').listAgreements()).agreements.length).toBeGreaterThan(0);
  });
});

const scenePerson = (personId: string): object => {
  const { keys, ...person } = { ...requester, personId, roles: ['competent-authority'], agency: 'forged-authority' };
  return { ...person, keys };
};

it.each([
  ['its agency', { agency: 'valiza-canary' }],
  ['a credential of its issuer', { subjects: ['urn:valiza:canary:UKR|ukr-requester-2'] }],
  ['one of its people', { personId: 'ukr-canary-requester' }],
])('no nation enters %s', async (_, wish) => {
  const person = {
    personId: 'ukr-requester-2',
    agency: 'exercise-ukrainian-procurement-agency',
    subjects: ['https://exercise.valiza.example/ukr|ukr-requester-2'],
    roles: ['requester' as const],
    clearances: [],
    citizenships: ['UKR'],
    mail: 'ukr-requester-2@exercise.valiza.example',
    language: 'uk' as const,
    zone: 'Europe/Kyiv',
    publicKeys: [],
    conflicts: [],
    active: true,
    ...wish,
  };
  const call = scene.as('ukr-directory-1').proposeChange({ body: { person } });
  expect(await refusalOf(call)).toBe('403 RESERVED_FOR_CANARY');
});

it('nobody but the canary signs with its key, and the canary signs in one way', async () => {
  const message = { KeyId: inside.canaryKey, Message: Buffer.alloc(32), SigningAlgorithm: 'ECDSA_SHA_256' as const };
  const able: string[] = [];
  for (const role of ROLE_WORDS) {
    const { kms } = inside.as(role);
    await kms.send(new SignCommand({ ...message, MessageType: 'RAW' })).then(
      () => able.push(role),
      (error: Error) => expect([role, error.name]).toEqual([role, 'AccessDeniedException']),
    );
  }
  expect(able).toEqual(['run-canary']);
  const { kms } = inside.as('run-canary');
  for (const call of [
    new SignCommand({ ...message, MessageType: 'DIGEST' }),
    new GetPublicKeyCommand({ KeyId: inside.canaryKey }),
  ]) {
    await expect(kms.send(call as SignCommand)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  }
});
