import { resourcesOf, DAY, HOUR, MINUTE, openScene, until, type RawAnswer, type Scene } from '../support/exchange.ts';
import { physicalName } from '../../local/template/physical-name.ts';
import { examined } from '../support/examined.ts';

/** Stands in every text that a caller writes, with the place it was written in, and in every document. */
const MARKER = 'canary';
const marked = (place: string): string => `${MARKER} in the ${place}`;

let scene: Scene;
const lines: string[] = [];
const answers: RawAnswer[] = [];
let queueName = '';

beforeAll(async () => {
  scene = await openScene({
    onLog: (line) => lines.push(line),
    amend(stack, template) {
      const queue = resourcesOf(template).find(([, { Type }]) => Type === 'AWS::SQS::Queue');
      if (queue !== undefined) queueName = physicalName(stack, queue[0], 80);
    },
  });
}, 120_000);
afterEach(() => examined('canary', 1));
afterAll(() => scene.close());

const REQUEST = {
  title: marked('title'),
  description: marked('description'),
  justification: marked('justification'),
};
const CONTENTS = [Buffer.from(marked('document').repeat(100))];

/** While a request is open, no other of its agency bears its reference. */
let references = 0;
const request = () => ({ ...REQUEST, reference: `${marked('reference')} ${(references += 1)}` });

async function toDecision(): Promise<{ caseId: string; proposalDigest: string }> {
  const { caseId } = await scene.submit(request());
  await ask(caseId);
  const proposed = await scene.propose(caseId, { contents: CONTENTS, conditions: [marked('condition')], endsIn: DAY });
  return { caseId, proposalDigest: proposed.proposalDigest ?? '' };
}

async function ask(caseId: string): Promise<void> {
  const params = { caseId };
  await scene.as('can-desk-1').clarify({ params, body: { question: marked('question') } });
  const amendments = {
    title: marked('amended title'),
    description: marked('amended description'),
    justification: marked('amended justification'),
  };
  await scene.as('ukr-requester-1').clarify({ params, body: { answer: marked('answer'), amendments } });
}

async function approve({ caseId, proposalDigest }: { caseId: string; proposalDigest: string }): Promise<void> {
  for (const by of ['can-releasing-1', 'can-security-1']) {
    await scene
      .as(by)
      .castDecision({ params: { caseId }, proposalDigest, body: { verdict: 'approve', note: marked('note') } });
  }
  await scene.as('ukr-authority-1').giveAssurance({ params: { caseId }, body: { verdict: 'give', proposalDigest } });
}

/** Keeps an answer to be searched. */
async function send(
  as: string,
  method: string,
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const answer = await scene.raw(
    as,
    method,
    path,
    { 'idempotency-key': `canary-${crypto.randomUUID()}`, ...headers },
    body,
  );
  answers.push(answer);
  return answer;
}

it('goes through the whole life of a release: suspended, resumed, opened, recalled', async () => {
  const seen = await toDecision();
  const params = { caseId: seen.caseId };
  await approve(seen);
  await scene.waitFor(seen.caseId, 'RELEASED');
  await scene.as('can-authority-1').suspendRelease({ params, body: { reason: marked('suspension') } });
  await scene.as('can-releasing-1').resumeRelease({ params });
  await scene.as('can-security-1').resumeRelease({ params });
  const access = await scene.as('ukr-recipient-1').grantAccess({ params, body: {} });
  const bytes = Buffer.from(await (await fetch(access.url)).arrayBuffer());
  expect([bytes.length, bytes.includes(MARKER)]).toEqual([access.ciphertextLength, false]);
  await scene
    .as('ukr-recipient-1')
    .acknowledgeReceipt({ params, body: { accessId: access.accessId, digest: access.ciphertextDigest } });
  await scene.as('can-authority-1').recallRelease({ params, body: { reason: marked('recall') } });
  await scene.waitFor(seen.caseId, 'CLOSED');
});

it('goes to every other end: refused, withdrawn, inadmissible, lapsed', async () => {
  const refused = await toDecision();
  await scene.as('can-security-1').castDecision({
    params: { caseId: refused.caseId },
    proposalDigest: refused.proposalDigest,
    body: { verdict: 'refuse', ground: 'national-interest', note: marked('refusal') },
  });
  await scene.waitFor(refused.caseId, 'REFUSED');
  const withdrawn = await toDecision();
  await scene
    .as('ukr-requester-1')
    .withdrawRequest({ params: { caseId: withdrawn.caseId }, body: { reason: marked('withdrawal') } });
  await scene.waitFor(withdrawn.caseId, 'WITHDRAWN');
  const inadmissible = await scene.submit({ ...request(), purpose: `${MARKER}-purpose` });
  expect(inadmissible.phase).toBe('INADMISSIBLE');
  const lapsed = await toDecision();
  await scene.runtime.settled();
  await scene.runtime.clock.advance(60 * DAY);
  await scene.waitFor(lapsed.caseId, 'LAPSED');
});

it('goes through failures: of sealing, of opening, of telling, of delivery', async () => {
  const { faults, clock, services } = scene.runtime;
  const seen = await toDecision();
  let sealings = 0;
  faults.plan = ({ service, operation, caller, moment }) => {
    if (moment !== 'before') return undefined;
    if (service === 'kms' && operation === 'GenerateDataKey' && caller.includes('SealingRole') && sealings < 8) {
      sealings += 1;
      return sealings % 2 === 0 ? 'crash' : 'fail';
    }
    if (service === 'events' && operation === 'PutEvents') return 'fail';
    if (service === 'lambda' && caller === 'events.amazonaws.com') return 'fail';
    return undefined;
  };
  await approve(seen);
  const undelivered = () =>
    services.sqs.messages(`arn:aws:sqs:${scene.runtime.region}:${scene.runtime.account}:${queueName}`);
  await until('something could not be delivered', async () => {
    await scene.runtime.settled();
    await clock.advance(10 * MINUTE);
    return undelivered().length > 1 || undefined;
  });
  faults.plan = undefined;
  expect(sealings).toBeGreaterThan(0);
  const { caseId } = await toDecision().then(async (next) => {
    await approve(next);
    return scene.waitFor(next.caseId, 'RELEASED');
  });
  faults.plan = ({ service, operation }) => (service === 'kms' && operation === 'Decrypt' ? 'fail' : undefined);
  expect((await send('ukr-recipient-1', 'POST', `/v1/cases/${caseId}/accesses`, '{}')).status).toBeGreaterThanOrEqual(
    500,
  );
  faults.plan = undefined;
  await scene.runtime.settled();
  await clock.advance(2 * HOUR);
});

it('is refused in every way', async () => {
  const { caseId } = await scene.submit(request());
  const body = {
    agreementId: 'CAN-UKR-EXERCISE',
    purpose: 'tender',
    ...request(),
    levelSought: { axis: 'protected', mark: 'PROTECTED A' },
    recipients: ['ukr-recipient-1'],
    language: 'en',
  };
  const path = `/v1/cases/${caseId}`;
  for (const [as, method, to, text] of [
    ['ukr-requester-1', 'POST', '/v1/cases', JSON.stringify({ ...body, title: `SECRET ${marked('refused title')}` })],
    ['ukr-requester-1', 'POST', '/v1/cases', JSON.stringify({ ...body, title: `${marked('refused title')}\u0000` })],
    ['ukr-requester-1', 'POST', '/v1/cases', JSON.stringify({ ...body, purpose: marked('refused purpose') })],
    ['ukr-requester-1', 'POST', '/v1/cases', JSON.stringify({ ...body, language: marked('language') })],
    [
      'ukr-requester-1',
      'POST',
      '/v1/cases',
      JSON.stringify({ ...body, levelSought: { axis: marked('axis'), mark: 'x' } }),
    ],
    ['ukr-requester-1', 'POST', '/v1/cases', JSON.stringify({ ...body, recipients: [marked('recipient')] })],
    ['ukr-requester-1', 'POST', '/v1/cases', JSON.stringify({ ...body, recipients: [`${MARKER}-recipient`] })],
    ['ukr-requester-1', 'POST', '/v1/cases', `${JSON.stringify(body)} ${marked('broken JSON')}`],
    ['ukr-requester-1', 'POST', '/v1/cases', JSON.stringify(marked('text'))],
    ['can-requester-1', 'POST', '/v1/cases', JSON.stringify(body)],
    ['can-desk-1', 'POST', `${path}/recall`, JSON.stringify({ reason: marked('reason') })],
    ['ukr-requester-1', 'POST', `${path}/recall`, JSON.stringify({ reason: marked('reason') })],
    [
      'can-releasing-1',
      'POST',
      `${path}/decisions`,
      JSON.stringify({ verdict: 'refuse', ground: `${MARKER}-ground`, note: marked('note') }),
    ],
    ['can-directory-1', 'POST', '/v1/directory/changes', JSON.stringify({ person: { personId: marked('person') } })],
  ] as const) {
    const answer = await send(as, method, to, text, { 'if-match': `"sha256:${'0'.repeat(64)}"` });
    expect([to, answer.status]).toEqual([to, expect.any(Number)]);
    expect(answer.status).toBeGreaterThanOrEqual(400);
  }
  for (const query of [`view=${MARKER}`, `view=queue&phase=${MARKER}`, `limit=${MARKER}`, `cursor=${MARKER}`]) {
    answers.push(await scene.raw('can-desk-1', 'GET', `/v1/cases?${query}`));
  }
  expect(answers.every(({ status }) => status >= 400)).toBe(true);
});

describe('row 76: is found nowhere beside the case files and the packages', () => {
  /** Where to look, and how much there must be for the search to mean something. */
  const PLACES: readonly (readonly [string, number, () => readonly string[] | Promise<readonly string[]>])[] = [
    ['what functions write', 50, () => scene.runtime.services.lambda.logs().map(({ line }) => line)],
    ['the log of the runtime', 50, () => lines],
    ['names of executions', 6, () => scene.runtime.services.states.executions().map(({ name }) => name)],
    [
      'histories of executions, with their inputs and outputs',
      100,
      () => {
        const { states } = scene.runtime.services;
        return states.executions().flatMap(({ arn }) => states.history(arn).map((event) => JSON.stringify(event)));
      },
    ],
    ['events of the bus', 50, () => scene.runtime.services.events.recorded().map((event) => JSON.stringify(event))],
    [
      'what could not be delivered',
      2,
      () =>
        scene.runtime.services.sqs
          .messages(`arn:aws:sqs:${scene.runtime.region}:${scene.runtime.account}:${queueName}`)
          .map(({ body }) => body),
    ],
    ['mails', 20, () => scene.runtime.services.ses.outbox.list().map((mail) => JSON.stringify({ ...mail, to: '' }))],
    ['answers that are problems', 15, () => answers.map((answer) => JSON.stringify([...answer.headers]) + answer.text)],
    ['what the gateway says of its own failures', 0, () => scene.runtime.services.api.problems()],
    ['metrics', 2, () => [JSON.stringify(scene.runtime.meter.read()), JSON.stringify(scene.runtime.callers.read())]],
    ['refused calls', 0, () => scene.runtime.denials().map((denial) => JSON.stringify(denial))],
    [
      'the pages of the runtime',
      4,
      () =>
        Promise.all(
          ['clock', 'meter', 'denials', 'executions'].map(async (name) =>
            (await fetch(`${scene.runtime.url}/_local/${name}`)).text(),
          ),
        ),
    ],
  ];

  it.each(PLACES)('%s', async (_, least, look) => {
    const found = await look();
    expect(found.length).toBeGreaterThanOrEqual(least);
    expect(found.filter((text) => text.includes(MARKER))).toEqual([]);
  });

  it.each(PLACES.filter(([place]) => !place.includes('problems')))(
    'neither are marks, purposes and people: %s',
    async (_, _least, look) => {
      const words =
        /PROTECTED [AB]|службового|tender|(can|ukr)-(desk|releasing|security|requester|recipient)-\d|national-interest/;
      expect((await look()).filter((text) => words.test(text))).toEqual([]);
    },
  );
});

it('row 76: lines of functions are objects of a known form, or say that a function failed, by its name', () => {
  const records = scene.runtime.services.lambda
    .logs()
    .map(({ line }) => JSON.parse(line) as { message: string | Record<string, unknown> }); // as JSON logging writes them
  const codes = new Set<unknown>();
  // Node.js speaks of its own age on a laptop; functions in AWS run on a later one.
  const ofNode = /^\(node:\d+\) Warning: NodeVersionSupportWarning/;
  for (const { message } of records) {
    if (typeof message === 'string') {
      if (ofNode.test(message)) continue;
      expect(message).toMatch(/^Invoke Error \w+: \w+\n {4}at /);
      continue;
    }
    codes.add(message['code']);
    expect(message).not.toHaveProperty('withheld');
    // What is counted over all cases is about none.
    if (message['code'] === 'OPEN_WORK') continue;
    if (String(message['code']) === 'API_PROBLEM') expect(message).toMatchObject({ traceId: expect.any(String) });
    else expect(message).toMatchObject({ caseId: expect.stringMatching(/^[0-9a-f]{32}$/) });
  }
  expect([...codes]).toEqual(expect.arrayContaining(['API_PROBLEM', 'ATTEMPT_FAILED', 'ANNOUNCE_FAILED']));
});

it('row 81: a mail says which case and that something waits, the same of every case, and nothing of what it is about', () => {
  const mails = scene.runtime.services.ses.outbox.list();
  const said = mails.map(({ subject, text }) => {
    expect(text).toMatch(/\/cases\/[0-9a-f]{32}\b/);
    return (
      `${subject}\n${text}`
        .replace(/[0-9a-f]{32}|(?<=: )[0-9a-f]{8}$/gm, '<case>')
        // The same instant at the reader's place.
        .replace(/ \(.*\d.*\)$/gm, '')
        .replace(/\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{3})?)?( ?(Z|UTC))?/g, '<time>')
    );
  });
  // Cases differ in every word that was written; what is said of them differs by what is asked of the reader alone.
  const each = new Set(said);
  expect(mails.length).toBeGreaterThan(2 * each.size);
  for (const text of each) {
    expect(text).toContain('<case>');
    expect(text.length).toBeLessThan(1000);
    expect(text).not.toMatch(/canary|tender|PROTECTED|Canada|Ukrain|CAN-|UKR-/i);
  }
});

it('is where it belongs: in the case file, for those who may read it', async () => {
  const { cases } = await scene.as('ukr-requester-1').listCases({ query: { view: 'own', limit: '1' } });
  expect(cases[0]?.title).toBe(REQUEST.title);
});
