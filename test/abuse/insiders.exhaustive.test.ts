import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, ReEncryptCommand } from '@aws-sdk/client-kms';
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  InvalidToken,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  StopExecutionCommand,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import type { SealedPackage } from '../../lambdas/domain/events.ts';
import { DAY, MINUTE, openScene, refusalOf, until, type Scene } from '../support/exchange.ts';
import { insiderOf, ROLE_WORDS, type Insider, type InsiderClients, type RoleWord } from '../support/insider.ts';
import { examined } from '../support/examined.ts';

// Twenty days are tens of thousands of sweeps.
jest.setTimeout(300_000);

let scene: Scene;
let inside: Insider;
let released: CaseView;
let proposed: CaseView;
let sealed: SealedPackage;
beforeAll(async () => {
  scene = await openScene();
  inside = insiderOf(scene);
  released = await scene.reach('RELEASED', { endsIn: 20 * DAY });
  proposed = await scene.reach('PROPOSED', { endsIn: 20 * DAY });
  const { events } = await scene.as('can-desk-1').readEvents({ params: { caseId: released.caseId } });
  sealed = events.find(({ type }) => type === 'PackageSealed')?.payload?.['sealed'] as SealedPackage; // what sealing recorded
}, 120_000);
afterEach(() => examined('attacks', 1));
afterAll(async () => {
  inside.close();
  await scene.close();
});

/** Whether a call is answered; only a refusal counts as none. */
async function allowed(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (/AccessDenied|NotAuthorized/.test(name)) return false;
    throw error;
  }
}

const context = (): Record<string, string> => ({
  case: released.caseId,
  release: sealed.releaseId,
  package: sealed.packageId,
});
const tagsOf = (tags: Record<string, string>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const becoming = () => ({ RoleArn: inside.releaseAccessRole, RoleSessionName: 'insider' });
const wrapped = (): Buffer => Buffer.from(sealed.wrappedKey, 'base64');
const states = (): Record<string, string> => ({ 'aws:states:stateMachineArn': inside.stateMachine });
const eventKey = { caseId: { S: 'e'.repeat(32) }, sk: { S: 'EV#000001' } };
const body = { body: { S: '{}' } };

/** Each: what is tried, by whom it may be done, how. Everybody else is refused. */
const ATTEMPTS: readonly (readonly [string, readonly RoleWord[], (as: InsiderClients) => Promise<unknown>])[] = [
  [
    'open the data key of a package, in a session without tags',
    [],
    ({ kms }) =>
      kms.send(
        new DecryptCommand({ KeyId: inside.packageKey, CiphertextBlob: wrapped(), EncryptionContext: context() }),
      ),
  ],
  [
    'make a data key for a package',
    ['sealing'],
    ({ kms }) =>
      kms.send(
        new GenerateDataKeyCommand({ KeyId: inside.packageKey, KeySpec: 'AES_256', EncryptionContext: context() }),
      ),
  ],
  [
    'make a data key for a package without its context',
    [],
    ({ kms }) => kms.send(new GenerateDataKeyCommand({ KeyId: inside.packageKey, KeySpec: 'AES_256' })),
  ],
  [
    'use the vault key outside a service',
    [],
    ({ kms }) => kms.send(new GenerateDataKeyCommand({ KeyId: inside.vaultKey, KeySpec: 'AES_256' })),
  ],
  [
    'use the vault key as the workflow does',
    ['workflow'],
    ({ kms }) =>
      kms.send(new GenerateDataKeyCommand({ KeyId: inside.vaultKey, KeySpec: 'AES_256', EncryptionContext: states() })),
  ],
  [
    'become the role that opens packages',
    ['grant-access'],
    ({ sts }) => sts.send(new AssumeRoleCommand({ ...becoming(), Tags: tagsOf(context()) })),
  ],
  ['become the role that opens packages, for no package', [], ({ sts }) => sts.send(new AssumeRoleCommand(becoming()))],
  [
    'become the role that opens packages, for no release in particular',
    [],
    ({ sts }) => sts.send(new AssumeRoleCommand({ ...becoming(), Tags: tagsOf({ case: released.caseId }) })),
  ],
  [
    'become the role that opens packages, with a tag besides',
    [],
    ({ sts }) => sts.send(new AssumeRoleCommand({ ...becoming(), Tags: tagsOf({ ...context(), operator: 'yes' }) })),
  ],
  [
    'read a package, in a session without tags',
    [],
    ({ s3 }) => s3.send(new GetObjectCommand({ Bucket: inside.bucket('packages'), Key: sealed.objectKey })),
  ],
  [
    'replace a package',
    ['sealing'],
    ({ s3 }) => s3.send(new PutObjectCommand({ Bucket: inside.bucket('packages'), Key: 'e'.repeat(32), Body: 'x' })),
  ],
  [
    'read a deposit',
    ['sealing'],
    ({ s3 }) =>
      s3.send(
        new GetObjectCommand({
          Bucket: inside.bucket('deposits'),
          Key: `${proposed.caseId}/${proposed.deposits?.[0]?.depositId}`,
        }),
      ),
  ],
  [
    // Whoever seals and whoever closes destroy it by that.
    'leave something in the place of a deposit',
    ['api', 'close-release', 'sealing'],
    ({ s3 }) =>
      s3.send(new PutObjectCommand({ Bucket: inside.bucket('deposits'), Key: `${'e'.repeat(32)}/x`, Body: 'x' })),
  ],
  [
    'start an execution',
    ['resume-workflow'],
    ({ states: sfn }) =>
      sfn.send(
        new StartExecutionCommand({
          stateMachineArn: inside.stateMachine,
          name: `insider-${crypto.randomUUID()}`,
          input: JSON.stringify({ caseId: 'e'.repeat(32), attempt: 1 }),
        }),
      ),
  ],
  [
    'stop an execution',
    [],
    ({ states: sfn }) =>
      sfn.send(
        new StopExecutionCommand({
          executionArn: `${inside.stateMachine.replace(':stateMachine:', ':execution:')}:${released.caseId}-1`,
        }),
      ),
  ],
  [
    'write an event',
    [
      'sealing',
      'grant-access',
      'assess-request',
      'open-release',
      'close-release',
      'record-failure',
      'api',
      'sweep-cases',
      'record-bounce',
    ],
    ({ dynamodb }) => dynamodb.send(new PutItemCommand({ TableName: inside.cases, Item: { ...eventKey, ...body } })),
  ],
  [
    'change an event',
    [
      'sealing',
      'grant-access',
      'assess-request',
      'open-release',
      'close-release',
      'record-failure',
      'api',
      'sweep-cases',
      'record-bounce',
    ],
    ({ dynamodb }) =>
      dynamodb.send(
        new UpdateItemCommand({
          TableName: inside.cases,
          Key: eventKey,
          UpdateExpression: 'SET body = :b',
          ExpressionAttributeValues: { ':b': { S: '{}' } },
        }),
      ),
  ],
  [
    'delete an event',
    [],
    ({ dynamodb }) => dynamodb.send(new DeleteItemCommand({ TableName: inside.cases, Key: eventKey })),
  ],
  [
    'read the tokens of waiting executions',
    ['resume-workflow'],
    ({ dynamodb }) =>
      dynamodb.send(
        new QueryCommand({
          TableName: inside.tokens,
          KeyConditionExpression: 'caseId = :c',
          ExpressionAttributeValues: { ':c': { S: proposed.caseId } },
        }),
      ),
  ],
];

it.each(ATTEMPTS)('%s: only %j', async (_, who, attempt) => {
  const did: RoleWord[] = [];
  for (const role of ROLE_WORDS) if (await allowed(attempt(inside.as(role)))) did.push(role);
  expect(did.sort()).toEqual([...who].sort());
});

describe('a session of the role that opens packages', () => {
  const decrypt = (given: Record<string, string> | undefined) =>
    new DecryptCommand({
      KeyId: inside.packageKey,
      CiphertextBlob: wrapped(),
      ...(given === undefined ? {} : { EncryptionContext: given }),
    });
  const read = () => new GetObjectCommand({ Bucket: inside.bucket('packages'), Key: sealed.objectKey });
  const refused = { name: expect.stringMatching(/AccessDenied|InvalidCiphertext/) as string };

  it('opens the package that it is tagged with', async () => {
    const { kms, s3 } = await inside.release(context());
    expect((await kms.send(decrypt(context()))).Plaintext).toHaveLength(32);
    expect((await s3.send(read())).ContentLength).toBeGreaterThan(0);
  });

  it.each<[string, () => Record<string, string>, boolean]>([
    ['another case', () => ({ ...context(), case: proposed.caseId }), false],
    ['another release of the case', () => ({ ...context(), release: 'e'.repeat(32) }), true],
    ['another package of the release', () => ({ ...context(), package: 'e'.repeat(32) }), true],
  ])('opens no other: tagged with %s', async (_, tags, reads) => {
    const { kms, s3 } = await inside.release(tags());
    await expect(kms.send(decrypt(context()))).rejects.toMatchObject(refused);
    // The ciphertext of one's own case, at most.
    expect(await allowed(s3.send(read()))).toBe(reads);
  });

  it.each<[string, () => Record<string, string> | undefined]>([
    ['no context', () => undefined],
    ['another case', () => ({ ...context(), case: proposed.caseId })],
    ['another release', () => ({ ...context(), release: 'e'.repeat(32) })],
    ['another package', () => ({ ...context(), package: 'e'.repeat(32) })],
    ['one more pair', () => ({ ...context(), recipient: 'ukr-recipient-1' })],
    ['one pair less', () => ({ case: released.caseId, release: sealed.releaseId })],
    ['names in capitals', () => ({ Case: released.caseId, Release: sealed.releaseId, Package: sealed.packageId })],
  ])('opens nothing with %s', async (_, wrong) => {
    const { kms } = await inside.release(context());
    await expect(kms.send(decrypt(wrong()))).rejects.toMatchObject(refused);
  });

  it('lends and reseals nothing', async () => {
    const { kms } = await inside.release(context());
    const reseal = new ReEncryptCommand({
      CiphertextBlob: wrapped(),
      SourceEncryptionContext: context(),
      DestinationKeyId: inside.vaultKey,
    });
    await expect(kms.send(reseal)).rejects.toThrow();
    await expect(
      kms.send(new EncryptCommand({ KeyId: inside.packageKey, Plaintext: Buffer.from('x') })),
    ).rejects.toThrow();
  });
});

describe('a wake-up that nobody sent', () => {
  /** Wakes whoever waits for a case; time goes on until somebody does. */
  const wake = (caseId: string, output: unknown): Promise<true> =>
    until('somebody was woken', async () => {
      await scene.runtime.settled();
      const { dynamodb, states: sfn } = inside.as('resume-workflow');
      const { Items } = await dynamodb.send(
        new QueryCommand({
          TableName: inside.tokens,
          KeyConditionExpression: 'caseId = :c',
          ExpressionAttributeValues: { ':c': { S: caseId } },
          ScanIndexForward: false,
        }),
      );
      try {
        const taskToken = Items?.[0]?.['token']?.S ?? 'none';
        await sfn.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) }));
        await scene.runtime.settled();
        return true;
      } catch (error) {
        if (!(error instanceof TaskTimedOut) && !(error instanceof InvalidToken)) throw error;
        await scene.runtime.clock.advance(MINUTE);
        return undefined;
      }
    });
  const standing = async (caseId: string): Promise<unknown[]> => {
    const { phase, release, decisions, accesses, proposalDigest } = await scene.read(caseId);
    return [phase, release, decisions, accesses, proposalDigest];
  };

  /** Each output in turn is sent to a case that waits for a decision, and to one whose release is open. */
  it.each<[string, unknown]>([
    ['approves', { approved: true, next: 'seal', waitSeconds: 1 }],
    ['seals', { next: 'seal', waitSeconds: 60 }],
    ['opens', { next: 'open', waitSeconds: 60 }],
    ['holds', { next: 'hold', waitSeconds: 60 }],
    ['closes', { next: 'close', waitSeconds: 60 }],
    ['goes nowhere', { next: '__proto__', waitSeconds: 60 }],
    ['names another case', { caseId: 'e'.repeat(32), attempt: 7, next: 'await-decision', waitSeconds: 60 }],
    ['waits for less than nothing', { next: 'await-decision', waitSeconds: -5 }],
    ['waits for ever', { next: 'await-decision', waitSeconds: 1e12 }],
    ['waits for an expression', { next: 'await-decision', waitSeconds: '{% $now() %}' }],
    ['says nothing', {}],
    ['says null', null],
    ['is a list', [{ next: 'seal' }]],
    ['ends', { next: 'closed', waitSeconds: 60 }],
  ])('changes nothing when it %s', async (_, output) => {
    for (const { caseId } of [proposed, released]) {
      const before = await standing(caseId);
      await wake(caseId, output);
      expect(await standing(caseId)).toEqual(before);
    }
  });

  it.each(['refused', 'superseded'])('that says %s strands no case', async (next) => {
    const seen = await scene.reach('PROPOSED');
    await wake(seen.caseId, { next, waitSeconds: 60 });
    await scene.approve(seen, 'can-releasing-1');
    await scene.approve(seen, 'can-security-1');
    await scene.assure(seen);
    await scene.runtime.settled();
    await scene.runtime.clock.advance(5 * MINUTE);
    expect((await scene.waitFor(seen.caseId, 'RELEASED')).release).toBeDefined();
  });

  it('leaves all cases able to go on to their ends', async () => {
    await scene.approve(proposed, 'can-releasing-1');
    await scene.approve(proposed, 'can-security-1');
    await scene.assure(proposed);
    await scene.runtime.settled();
    await scene.runtime.clock.advance(DAY);
    await scene.waitFor(proposed.caseId, 'RELEASED');
    await scene.runtime.clock.advance(21 * DAY);
    for (const { caseId } of [proposed, released]) {
      expect((await scene.waitFor(caseId, 'CLOSED')).outcome?.statement).toBe('expired');
    }
  });
});

describe('an execution that nobody claimed', () => {
  let waiting: CaseView | undefined;
  const start = async (input: string): Promise<void> => {
    await inside.as('resume-workflow').states.send(
      new StartExecutionCommand({
        stateMachineArn: inside.stateMachine,
        name: `insider-${crypto.randomUUID()}`,
        input,
      }),
    );
    await scene.runtime.settled();
  };

  it.each<[string, (caseId: string) => object]>([
    ['of an attempt to come', (caseId) => ({ caseId, attempt: 99 })],
    ['of no attempt', (caseId) => ({ caseId })],
    ['of half an attempt', (caseId) => ({ caseId, attempt: 0.5 })],
    ['of a case that does not exist', () => ({ caseId: 'e'.repeat(32), attempt: 1 })],
    ['of a register', () => ({ caseId: 'REGISTER#CAN-2026', attempt: 1 })],
    ['with a verdict', (caseId) => ({ caseId, attempt: 99, phase: 'SEALING', approved: true, next: 'open' })],
  ])('%s changes no case', async (_, input) => {
    waiting ??= await scene.submit();
    await start(JSON.stringify(input(waiting.caseId)));
    const after = await scene.read(waiting.caseId);
    expect([after.phase, after.sequence]).toEqual(['UNDER_REVIEW', waiting.sequence]);
  });
});

describe('a case file that was written to', () => {
  const MARKER = 'canary-of-a-broken-file';
  const write = async (caseId: string, sequence: number, text: string): Promise<void> => {
    const sk = `EV#${String(sequence).padStart(6, '0')}`;
    await inside.as('api').dynamodb.send(
      new PutItemCommand({
        TableName: inside.cases,
        Item: { caseId: { S: caseId }, sk: { S: sk }, body: { S: text } },
      }),
    );
  };
  const read = async (caseId: string, sequence: number): Promise<string> => {
    const { Item } = await inside
      .as('api')
      .dynamodb.send(
        new QueryCommand({
          TableName: inside.cases,
          KeyConditionExpression: 'caseId = :c AND sk = :s',
          ExpressionAttributeValues: { ':c': { S: caseId }, ':s': { S: `EV#${String(sequence).padStart(6, '0')}` } },
        }),
      )
      .then(({ Items }) => ({ Item: Items?.[0] }));
    return Item?.['body']?.S ?? '';
  };

  it.each<[string, (seen: CaseView) => Promise<void>]>([
    [
      'a vote behind the last event',
      async ({ caseId, sequence }) => {
        const vote = JSON.parse(await read(caseId, sequence)) as object;
        await write(caseId, sequence + 1, JSON.stringify({ ...vote, sequence: sequence + 1, type: 'DecisionCast' }));
      },
    ],
    [
      'a vote in place of an event',
      async ({ caseId, sequence }) => {
        const vote = JSON.parse(await read(caseId, sequence)) as object;
        await write(caseId, sequence, JSON.stringify({ ...vote, type: 'DecisionCast' }));
      },
    ],
    [
      'another title',
      async ({ caseId }) => {
        await write(caseId, 1, (await read(caseId, 1)).replace('Tender documents', MARKER));
      },
    ],
    [
      'an event of another case',
      async ({ caseId }) => {
        const other = await scene.submit();
        await write(caseId, 1, await read(other.caseId, 1));
      },
    ],
    [
      'two events in each other’s place',
      async ({ caseId }) => {
        const [first, second] = [await read(caseId, 1), await read(caseId, 2)];
        await write(caseId, 1, second);
        await write(caseId, 2, first);
      },
    ],
    ['what is no event', ({ caseId }) => write(caseId, 2, `${MARKER} {`)],
    ['an unknown event', ({ caseId }) => write(caseId, 2, JSON.stringify({ type: MARKER, schemaVersion: 1 }))],
    [
      'an event of a version to come',
      ({ caseId }) => write(caseId, 2, JSON.stringify({ type: 'RequestAssessed', schemaVersion: MARKER })),
    ],
  ])('with %s decides nothing, and shows itself to nobody who may not see every case', async (_, tamper) => {
    const seen = await scene.submit();
    const { caseId } = seen;
    await tamper(seen);
    expect(await refusalOf(scene.read(caseId))).toBe('500 CASE_PARKED');
    const ask = scene.as('can-desk-1').clarify({ params: { caseId }, body: { question: 'Why?' } });
    expect(await refusalOf(ask)).toBe('500 CASE_PARKED');
    for (const stranger of ['can-directory-1', 'ukr-directory-1', 'ukr-recipient-1']) {
      expect(await refusalOf(scene.read(caseId, stranger))).toBe('404 NOT_FOUND');
      expect(await refusalOf(scene.as(stranger).withdrawRequest({ params: { caseId }, body: { reason: 'x' } }))).toBe(
        '404 NOT_FOUND',
      );
      expect(await refusalOf(scene.as(stranger).grantAccess({ params: { caseId }, body: {} }))).toBe('404 NOT_FOUND');
    }
    const { Item } = await inside
      .as('resume-workflow')
      .dynamodb.send(
        new GetItemCommand({ TableName: inside.cases, Key: { caseId: { S: caseId }, sk: { S: 'HEAD' } } }),
      );
    expect(Item?.['phase']?.S).toBe('UNDER_REVIEW');
  });

  it('is quoted in no log and no history of an execution', async () => {
    await scene.runtime.settled();
    // The wait for a decision ends, and the next step reads the file.
    await scene.runtime.clock.advance(20 * DAY);
    await scene.runtime.settled();
    const { lambda, states: sfn } = scene.runtime.services;
    const lines = lambda.logs().map(({ message }) => message);
    const history = sfn.executions().flatMap(({ arn }) => sfn.history(arn).map((event) => JSON.stringify(event)));
    expect(lines.some((line) => line.includes('SWEEP_FAILED'))).toBe(true);
    expect(history.length).toBeGreaterThan(50);
    expect([...lines, ...history].filter((text) => text.includes(MARKER) || text.includes('Tender'))).toEqual([]);
  });
});
