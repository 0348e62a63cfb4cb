import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enterPeople } from '../../examples/exercise/set-up.ts';
import { REQUEST, TENDER, writeLargeDocument } from '../../examples/exercise/tender.ts';
import { fromEpoch } from '../../lambdas/domain/instant.ts';
import type { BodyOf } from '../../lambdas/contracts/routes.ts';
import { ProblemError } from '../client/errors.ts';
import { readKey } from '../client/key-files.ts';
import { openPackage } from '../client/open-package.ts';
import { silent } from '../client/progress.ts';
import { measureFile, upload } from '../client/upload.ts';
import { startExchange, SYNTHESIS_TAKES, type LocalExchange } from './exchange.ts';
import { refuseDenials, untilPhase } from './phases.ts';

/** Minutes for which the release of the demonstration is open. */
const WINDOW_MINUTES = 15;

export interface DemoResult {
  readonly caseId: string;
  /** Phases in order, from SUBMITTED to CLOSED. */
  readonly phases: readonly string[];
  readonly digestMatches: boolean;
  readonly refusedAfterExpiry: boolean;
  /** `*StateEntered` events of the case's executions. */
  readonly statesEntered: number;
  /** The application's own AWS calls: service, operation, count. */
  readonly calls: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** From the first request to CLOSED, without synthesis and boot. */
  readonly durationMs: number;
}

export interface DemoOptions {
  /** Told of what happens, in words. */
  readonly say: (line: string) => void;
  readonly large: boolean;
  readonly assembly?: string;
}

type Told = (line: string) => void;

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer); // without an encoding, file streams give buffers
  return `sha256:${hash.digest('hex')}`;
}

/** Calls that functions signed, over all roles. */
function callsOf(exchange: LocalExchange): DemoResult['calls'] {
  const calls: Record<string, Record<string, number>> = {};
  for (const services of Object.values(exchange.runtime.callers.read())) {
    for (const [service, operations] of Object.entries(services)) {
      const sum = (calls[service] ??= {});
      for (const [operation, count] of Object.entries(operations)) sum[operation] = (sum[operation] ?? 0) + count;
    }
  }
  return calls;
}

function statesEntered(exchange: LocalExchange): number {
  const { states } = exchange.runtime.services;
  return states
    .executions()
    .flatMap(({ arn }) => states.history(arn))
    .filter((event) => event.type.endsWith('StateEntered')).length;
}

/** One request from submission to the end of its release, through the public API and the client alone. */
class Demonstration {
  readonly #exchange: LocalExchange;
  readonly #folder: string;
  readonly #say: Told;
  readonly #document: string;

  constructor(exchange: LocalExchange, folder: string, document: string, say: Told) {
    this.#exchange = exchange;
    this.#folder = folder;
    this.#document = document;
    this.#say = say;
  }

  async run(): Promise<DemoResult> {
    const { runtime } = this.#exchange;
    const keysFolder = join(this.#folder, 'keys');
    await runtime.services.lambda.warm();
    await enterPeople({ apiAs: this.#exchange.as, keysFolder, at: this.#now() });
    this.#say('The people of the exercise have been entered in the directory, each by two officers of their nation.');
    await runtime.settled();
    runtime.callers.reset();
    const started = performance.now();
    const caseId = await this.#request();
    await this.#propose(caseId);
    await this.#decide(caseId);
    const digestMatches = await this.#open(caseId, keysFolder);
    const refusedAfterExpiry = await this.#end(caseId, keysFolder);
    const durationMs = Math.round(performance.now() - started);
    const phases = await this.#phases(caseId);
    refuseDenials(this.#exchange);
    return {
      caseId,
      phases,
      digestMatches,
      refusedAfterExpiry,
      statesEntered: statesEntered(this.#exchange),
      calls: callsOf(this.#exchange),
      durationMs,
    };
  }

  #now(): string {
    return fromEpoch(this.#exchange.runtime.clock.now());
  }

  async #request(): Promise<string> {
    const body = JSON.parse(await readFile(REQUEST, 'utf8')) as BodyOf<'submitRequest'>; // the API checks it
    const { caseId } = await this.#exchange.as('ukr-requester-1').submitRequest({ body });
    this.#say(`SUBMITTED           A Ukrainian agency asks Canada for a document. The request is case ${caseId}.`);
    const { registerNumber } = await untilPhase(this.#exchange, 'can-desk-1', caseId, 'UNDER_REVIEW');
    this.#say(
      `UNDER_REVIEW        Admissible under the agreement; Canada has registered it as ${registerNumber ?? ''}.`,
    );
    return caseId;
  }

  async #propose(caseId: string): Promise<void> {
    const desk = this.#exchange.as('can-desk-1');
    const params = { caseId };
    const { digest, length } = await measureFile(this.#document);
    const deposit = await desk.openDeposit({ params, body: { digest, length } });
    if (deposit.upload === undefined) throw new Error('The deposit came without an address.');
    await upload(deposit.upload, this.#document, () => undefined);
    await desk.completeDeposit({ params: { caseId, depositId: deposit.depositId }, body: {} });
    this.#say(`                    A Canadian desk officer deposits the document (${length} bytes) …`);
    const { changes } = await desk.listChanges({ query: { nation: 'UKR', limit: '50' } });
    const entry = changes.find((change) => change.person['personId'] === 'ukr-recipient-1');
    const keys = entry?.person['keys'] as { fingerprint: string }[] | undefined; // the form of a directory entry
    const keyFingerprint = keys?.[0]?.fingerprint ?? '';
    await desk.putProposal({
      params,
      body: {
        documents: [
          {
            depositId: deposit.depositId,
            title: 'EXERCISE tender',
            marking: { axis: 'protected', mark: 'PROTECTED A' },
            pages: 4,
          },
        ],
        recipients: [{ personId: 'ukr-recipient-1', keyFingerprint }],
        conditions: ['For this bid only.', 'No copy leaves the agency.'],
        notAfter: fromEpoch(this.#exchange.runtime.clock.now() + WINDOW_MINUTES * 60_000),
        copies: 2,
      },
    });
    this.#say(`                    … and proposes to release it to one named person for ${WINDOW_MINUTES} minutes.`);
  }

  async #decide(caseId: string): Promise<void> {
    const params = { caseId };
    for (const approver of ['can-releasing-1', 'can-security-1']) {
      const { proposalDigest = '' } = await this.#exchange.as(approver).readCase({ params });
      await this.#exchange.as(approver).castDecision({ params, proposalDigest, body: { verdict: 'approve' } });
      this.#say(
        `                    ${approver} reads the proposal and approves exactly its digest ${proposalDigest.slice(0, 15)}…`,
      );
    }
    this.#say('AWAITING_ASSURANCE  The quorum is complete; Ukraine is to undertake to protect the document.');
    const authority = this.#exchange.as('ukr-authority-1');
    const { proposalDigest = '' } = await authority.readCase({ params });
    await authority.giveAssurance({ params, body: { verdict: 'give', proposalDigest } });
    this.#say(
      "SEALING             Ukraine's authority has given its assurance; the document is encrypted under a KMS data key.",
    );
    const { release } = await untilPhase(this.#exchange, 'ukr-recipient-1', caseId, 'RELEASED');
    this.#say(`RELEASED            The deposit is destroyed; the release is open until ${release?.notAfter ?? ''}.`);
  }

  async #open(caseId: string, keysFolder: string): Promise<boolean> {
    const opened = await this.#openPackage(caseId, keysFolder, 'first');
    const [document] = opened.documents;
    if (document === undefined) throw new Error('The package is empty.');
    const matches = (await sha256(document.path)) === (await sha256(this.#document));
    this.#say(
      `                    The named recipient opens it: the digest ${matches ? 'equals' : 'DIFFERS FROM'} the original's.`,
    );
    return matches;
  }

  async #openPackage(caseId: string, keysFolder: string, folder: string) {
    return openPackage(this.#exchange.as('ukr-recipient-1'), {
      caseId,
      key: await readKey(join(keysFolder, 'ukr-recipient-1.json')),
      folder: join(this.#folder, folder),
      force: false,
      progress: silent,
    });
  }

  async #end(caseId: string, keysFolder: string): Promise<boolean> {
    const { runtime } = this.#exchange;
    await runtime.settled();
    await runtime.clock.advance(WINDOW_MINUTES * 60_000);
    this.#say(`                    ${WINDOW_MINUTES} minutes pass (on the virtual clock).`);
    const refused = await this.#openPackage(caseId, keysFolder, 'second').then(
      () => false,
      (error: unknown) => {
        if (!(error instanceof ProblemError)) throw error;
        this.#say(`                    A second opening is refused: ${error.message}`);
        return true;
      },
    );
    await untilPhase(this.#exchange, 'can-desk-1', caseId, 'CLOSED');
    await runtime.settled();
    this.#say('CLOSED              The package is destroyed, and its absence verified. The case file tells all of it.');
    return refused;
  }

  /** The phases the case went through, as its file tells them. */
  async #phases(caseId: string): Promise<string[]> {
    const { events } = await this.#exchange.as('can-desk-1').readEvents({ params: { caseId } });
    return events.reduce<string[]>((phases, { type, payload }) => {
      const phase = PHASE_BEGUN_BY[type]?.(payload ?? {});
      return phase === undefined ? phases : [...phases, phase];
    }, []);
  }
}

/** Which phase an event of the demonstration's path begins. */
const PHASE_BEGUN_BY: Readonly<Record<string, (payload: Readonly<Record<string, unknown>>) => string | undefined>> = {
  RequestSubmitted: () => 'SUBMITTED',
  RequestAssessed: ({ admissible }) => (admissible === true ? 'UNDER_REVIEW' : 'INADMISSIBLE'),
  DecisionCast: ({ outcome, deadline }) =>
    outcome === 'approved'
      ? deadline === null
        ? 'SEALING'
        : 'AWAITING_ASSURANCE'
      : outcome === 'refused'
        ? 'REFUSED'
        : undefined,
  AssuranceGiven: () => 'SEALING',
  ReleaseOpened: () => 'RELEASED',
  ReleaseExpired: () => 'CLOSING',
  CaseClosed: () => 'CLOSED',
};

/** Runs the demonstration on a fresh exchange that forgets everything afterwards. */
export async function demonstrate({ say, large, assembly }: DemoOptions): Promise<DemoResult> {
  const folder = await mkdtemp(join(tmpdir(), 'valiza-demo-'));
  try {
    const document = large ? join(folder, 'EXERCISE-large.bin') : TENDER;
    if (large) await writeLargeDocument(document);
    say("EXERCISE. Canada's exchange starts on this machine: the synthesised application, with nothing outside it.");
    const exchange = await startExchange({
      environment: 'can-local',
      onSynthesis: () => say(SYNTHESIS_TAKES),
      ...(assembly === undefined ? {} : { assembly }),
    });
    try {
      return await new Demonstration(exchange, folder, document, say).run();
    } catch (error) {
      // A refused call of the application explains better than what it led to.
      refuseDenials(exchange);
      throw error;
    } finally {
      await exchange.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
