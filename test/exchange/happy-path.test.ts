import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openPackage } from '../../bin/client/open-package.ts';
import { silent } from '../../bin/client/progress.ts';
import { HOUR, openScene, refusalOf, sha256, verifyWhole, type Scene } from '../support/exchange.ts';

jest.setTimeout(120_000);

/** Stands in every free text and in every document, so that it can be looked for where it must not be. */
const CANARY = 'КАНАРКА-canary-7f3a';

/** Three documents: a short one, one of several frames (64 KiB each), one that ends with a frame. */
const CONTENTS = [
  Buffer.from(`EXERCISE ${CANARY} specification`),
  Buffer.alloc(200_001, `${CANARY} annex `),
  Buffer.alloc(65_536, 'x'),
];

interface Direction {
  readonly environment: 'can-local' | 'ukr-local';
  readonly register: RegExp;
  /** Every mail of the case: to whom, with which subject. */
  readonly mails: readonly (readonly [string, string])[];
  /** A mail's text, whole. */
  readonly text: (caseId: string, portal: string) => RegExp;
}

const EN = {
  arrived: '[EXERCISE] A request has arrived for you to prepare',
  registered: '[EXERCISE] Your request has been registered',
  awaits: '[EXERCISE] A proposal awaits your decision',
  approved: '[EXERCISE] Your request has been approved',
  open: '[EXERCISE] A release is open',
  ended: '[EXERCISE] A release has ended',
  closed: '[EXERCISE] A case is closed',
};
const FR = {
  awaits: '[EXERCICE (EXERCISE)] Une proposition attend votre décision',
  assurance: '[EXERCICE (EXERCISE)] Une assurance est demandée à votre autorité',
  open: '[EXERCICE (EXERCISE)] Une communication est ouverte',
  ended: '[EXERCICE (EXERCISE)] Une communication a pris fin',
};
const UK = {
  arrived: '[НАВЧАННЯ (EXERCISE)] Надійшов запит: підготуйте його',
  registered: '[НАВЧАННЯ (EXERCISE)] Ваш запит зареєстровано',
  awaits: '[НАВЧАННЯ (EXERCISE)] Пропозиція чекає на ваше рішення',
  approved: '[НАВЧАННЯ (EXERCISE)] Ваш запит схвалено',
  assurance: '[НАВЧАННЯ (EXERCISE)] Від вашого органу потрібне запевнення',
  open: '[НАВЧАННЯ (EXERCISE)] Доступ відкрито',
  ended: '[НАВЧАННЯ (EXERCISE)] Доступ завершено',
  closed: '[НАВЧАННЯ (EXERCISE)] Справу закрито',
};

const CANADA_IS_ASKED: Direction = {
  environment: 'can-local',
  register: /^CAN-\d{4}-\d{6}$/,
  mails: [
    ['can-desk-1', EN.arrived],
    ['can-desk-1', EN.closed],
    ['can-releasing-1', EN.awaits],
    ['can-releasing-2', FR.awaits],
    ['can-security-1', FR.awaits],
    ['ukr-authority-1', UK.assurance],
    ['ukr-recipient-1', UK.open],
    ['ukr-recipient-1', UK.ended],
    ['ukr-requester-1', UK.registered],
    ['ukr-requester-1', UK.approved],
    ['ukr-requester-1', UK.open],
    ['ukr-requester-1', UK.ended],
    ['ukr-requester-1', UK.closed],
  ],
  text: (caseId, portal) =>
    new RegExp(
      `^\\[НАВЧАННЯ \\(EXERCISE\\)\\] [^\\n]+\\.\\n\\nСправа: ${caseId}\\n` +
        `(Термін \\(до\\): \\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2} UTC \\([^\\n]+, Europe/Kyiv\\)\\n)?` +
        `Відкрийте після входу: ${portal}/cases/${caseId}\\n\\nЦе повідомлення нічого не вирішує і нічого не відкриває\\.$`,
    ),
};

const UKRAINE_IS_ASKED: Direction = {
  environment: 'ukr-local',
  register: /^UKR-\d{4}-\d{6}$/,
  mails: [
    ['ukr-desk-1', UK.arrived],
    ['ukr-desk-1', UK.closed],
    ['ukr-releasing-1', UK.awaits],
    ['ukr-releasing-2', EN.awaits],
    ['ukr-security-1', UK.awaits],
    ['can-authority-1', FR.assurance],
    ['can-recipient-1', FR.open],
    ['can-recipient-1', FR.ended],
    ['can-requester-1', EN.registered],
    ['can-requester-1', EN.approved],
    ['can-requester-1', EN.open],
    ['can-requester-1', EN.ended],
    ['can-requester-1', EN.closed],
  ],
  text: (caseId, portal) =>
    new RegExp(
      `^\\[EXERCISE\\] [^\\n]+\\.\\n\\nCase: ${caseId}\\n` +
        `(Due before: \\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2} UTC \\([^\\n]+, America/Toronto\\)\\n)?` +
        `Open it after signing in: ${portal}/cases/${caseId}\\n\\nThis message decides nothing and opens nothing\\.$`,
    ),
};

describe.each([CANADA_IS_ASKED, UKRAINE_IS_ASKED])('a request that $environment decides', (direction) => {
  let scene: Scene;
  let caseId: string;
  let target: string;
  const lines: string[] = [];

  beforeAll(async () => {
    scene = await openScene({ environment: direction.environment, onLog: (line) => lines.push(line) });
    target = join(scene.folder, 'opened');
    await mkdir(target);
  });
  afterAll(() => scene.close());

  const open = async (folder: string) =>
    openPackage(scene.as(scene.who.recipient), {
      caseId,
      key: await scene.keyOf(scene.who.recipient),
      folder,
      force: false,
      progress: silent,
    });

  test('goes from submission to the recipient, and ends by itself', async () => {
    const submitted = await scene.submit({
      title: `Tender ${CANARY}`,
      description: CANARY,
      justification: CANARY,
      reference: CANARY,
    });
    ({ caseId } = submitted);
    expect(submitted.phase).toBe('UNDER_REVIEW');
    expect(submitted.registerNumber).toMatch(direction.register);
    const proposed = await scene.propose(caseId, { contents: CONTENTS, conditions: [CANARY], copies: 1, endsIn: HOUR });
    await scene.approve(proposed, scene.who.releasing);
    const decided = await scene.approve(proposed, scene.who.security);
    expect(decided.phase).toBe('AWAITING_ASSURANCE');
    await scene.assure(proposed);
    const released = await scene.waitFor(caseId, 'RELEASED');
    expect(released.proposalDigest).toBe(proposed.proposalDigest);

    const opened = await open(target);
    expect(opened.documents).toHaveLength(CONTENTS.length);
    for (const [index, { path, digest }] of opened.documents.entries()) {
      const read = await readFile(path);
      expect(sha256(read)).toBe(sha256(CONTENTS[index] ?? Buffer.of()));
      expect(sha256(read)).toBe(digest);
    }
    const after = await scene.read(caseId);
    expect(after.receipts).toEqual([expect.objectContaining({ recipient: scene.who.recipient })]);

    await scene.runtime.clock.advance(HOUR);
    const closed = await scene.waitFor(caseId, 'CLOSED');
    expect(closed.outcome).toEqual({ ended: 'CLOSED', statement: 'expired' });
    expect(await refusalOf(open(join(scene.folder, 'too-late')))).toBe('409 PHASE_FORBIDS');
  });

  test('enters at most twelve states, in one execution', () => {
    const [states = [], ...others] = scene.statesEntered(caseId);
    expect(others).toEqual([]);
    expect(states.at(-1)).toBe('Closed');
    expect(states.length).toBeLessThanOrEqual(12);
  });

  test('gives register numbers without a gap, also to requests that arrive together', async () => {
    await Promise.all([1, 2, 3, 4, 5].map((number) => scene.submit({ title: `Lot ${number}` })));
    const { cases } = await scene.as(scene.who.requester).listCases({ query: { view: 'own' } });
    const numbers = cases.map((row) => Number(row.registerNumber?.slice('CAN-2026-'.length)));
    expect(numbers.sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('tells the right people by mail, in their language, with nothing but ids, verb, time and address', () => {
    const portal = `https://${scene.nation.toLowerCase()}.exercise.valiza.example`;
    const own = scene.runtime.services.ses.outbox.list().filter(({ text }) => text?.includes(caseId));
    const domain = '@exercise.valiza.example';
    expect(own.map(({ to, subject }) => [to.join(), subject]).sort()).toEqual(
      direction.mails.map(([person, words]) => [person + domain, `${words}: ${caseId.slice(0, 8)}`]).sort(),
    );
    const toRequester = own.filter(({ to }) => to.includes(scene.who.requester + domain));
    expect(toRequester).toHaveLength(5);
    for (const { text, html } of toRequester) {
      expect(text).toMatch(direction.text(caseId, portal));
      expect(html).toBeUndefined();
    }
  });

  test('puts every event of its file on the bus, by type, id and sequence alone', async () => {
    await scene.runtime.settled();
    const { events } = await scene.as(scene.who.desk).readEvents({ params: { caseId } });
    const told = scene.runtime.services.events
      .recorded()
      .filter((event) => event.source === 'valiza.exchange' && JSON.stringify(event).includes(caseId));
    expect(told.map((event) => [event['detail-type'], event.detail, event.resources])).toEqual(
      events.map(({ type, sequence }) => [type, { caseId, sequence }, []]),
    );
  });

  test('keeps names, inputs and history of executions free of everything but ids', () => {
    const executions = scene.runtime.services.states.executions();
    expect(executions.length).toBeGreaterThanOrEqual(6);
    for (const { name, arn } of executions) {
      expect(name).toMatch(/^[0-9a-f]{32}-1$/);
      const history = scene.runtime.services.states.history(arn);
      const [id] = name.split('-');
      expect(history[0]?.details['executionStartedEventDetails']?.['input']).toBe(
        JSON.stringify({ caseId: id, attempt: 1 }),
      );
      // What steps are given, what they answer, and where they go: ids, numbers, edges, tokens and the service's own words.
      expect(JSON.stringify(history)).not.toMatch(
        /canary|PROTECTED|користування|requester-|recipient-|procurement|tender/i,
      );
    }
  });

  test('leaves no word of the request or its documents in logs, mails, bus events and executions', () => {
    const { services } = scene.runtime;
    const places = {
      logs: lines.join('\n'),
      mails: services.ses.outbox.toJson(),
      bus: JSON.stringify(services.events.recorded()),
      executions: JSON.stringify(services.states.executions().map(({ arn }) => services.states.history(arn))),
    };
    for (const [place, text] of Object.entries(places)) {
      expect([place, text.length > 0]).toEqual([place, true]);
      expect([place, text.includes('КАНАРКА'), text.includes('canary-7f3a')]).toEqual([place, false, false]);
    }
  });

  test('leaves a case file whose chain verifies, and nothing in the buckets', async () => {
    const { events } = await scene.as(scene.who.desk).readEvents({ params: { caseId } });
    expect(events.map(({ type }) => type)).toEqual([
      'RequestSubmitted',
      'RequestAssessed',
      ...CONTENTS.flatMap(() => ['DepositOpened', 'DepositCompleted']),
      'ProposalPut',
      'DecisionCast',
      'DecisionCast',
      'AssuranceGiven',
      'PackageSealed',
      'ReleaseOpened',
      'AccessGranted',
      'ReceiptAcknowledged',
      'ReleaseExpired',
      'PackageDestroyed',
      'CaseClosed',
    ]);
    expect(() => verifyWhole(caseId, events)).not.toThrow();
    const [first, second, ...others] = events;
    if (first === undefined || second === undefined) throw new Error('The file has no events.');
    const altered = [first, { ...second, payload: { ...second.payload, admissible: false } }, ...others];
    expect(() => verifyWhole(caseId, altered)).toThrow('broken at event 2');
    for (const bucket of ['deposits', 'packages'] as const)
      expect([bucket, await scene.objectsOf(caseId, bucket)]).toEqual([bucket, []]);
  });
});
