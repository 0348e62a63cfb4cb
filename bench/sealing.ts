// Memory and speed of sealing: node --import tsx bench/sealing.ts [MiB …]
// Prints one JSON object: for each size the highest RSS above the idle runtime while the package is sealed (the store's own work included,
// since everything runs in this process), and MiB per second from the last decision to the open release.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { startExchange, type LocalExchange } from '../bin/local/exchange.ts';
import { untilPhase } from '../bin/local/phases.ts';
import { measureFile, upload } from '../bin/client/upload.ts';
import { enterPeople } from '../examples/exercise/set-up.ts';
import { REQUEST, writeLargeDocument } from '../examples/exercise/tender.ts';
import type { BodyOf } from '../lambdas/contracts/routes.ts';
import { fromEpoch } from '../lambdas/domain/instant.ts';

const MIB = 1024 * 1024;
const sizes = process.argv.slice(2).map(Number);

interface Measured {
  readonly mib: number;
  readonly idleRssMib: number;
  readonly peakAboveIdleMib: number;
  readonly mibPerSecond: number;
}

/** A case of which everything is done but the last decision's consequence. */
async function untilAssurance(
  exchange: LocalExchange,
  file: string,
): Promise<{ caseId: string; proposalDigest: string }> {
  const body = JSON.parse(await readFile(REQUEST, 'utf8')) as BodyOf<'submitRequest'>; // the API checks it
  const { caseId } = await exchange.as('ukr-requester-1').submitRequest({ body });
  const params = { caseId };
  await untilPhase(exchange, 'can-desk-1', caseId, 'UNDER_REVIEW');
  const desk = exchange.as('can-desk-1');
  const { digest, length } = await measureFile(file);
  const deposit = await desk.openDeposit({ params, body: { digest, length } });
  if (deposit.upload === undefined) throw new Error('The deposit came without an address.');
  await upload(deposit.upload, file, () => undefined);
  await desk.completeDeposit({ params: { caseId, depositId: deposit.depositId }, body: {} });
  const { changes } = await desk.listChanges({ query: { nation: 'UKR', limit: '50' } });
  const entry = changes.find((change) => change.person['personId'] === 'ukr-recipient-1');
  const keys = entry?.person['keys'] as { fingerprint: string }[] | undefined; // the form of a directory entry
  await desk.putProposal({
    params,
    body: {
      documents: [
        {
          depositId: deposit.depositId,
          title: 'EXERCISE',
          marking: { axis: 'protected', mark: 'PROTECTED A' },
          pages: 1,
        },
      ],
      recipients: [{ personId: 'ukr-recipient-1', keyFingerprint: keys?.[0]?.fingerprint ?? '' }],
      conditions: [],
      notAfter: fromEpoch(exchange.runtime.clock.now() + 60 * 60_000),
      copies: 1,
    },
  });
  const { proposalDigest = '' } = await desk.readCase({ params });
  for (const approver of ['can-releasing-1', 'can-security-1']) {
    await exchange.as(approver).castDecision({ params, proposalDigest, body: { verdict: 'approve' } });
  }
  return { caseId, proposalDigest };
}

async function measure(exchange: LocalExchange, folder: string, mib: number): Promise<Measured> {
  const file = join(folder, `${mib}.bin`);
  await writeLargeDocument(file, mib * MIB);
  const { caseId, proposalDigest } = await untilAssurance(exchange, file);
  await rm(file);
  await exchange.runtime.settled();
  global.gc?.();
  const idle = process.memoryUsage().rss;
  let peak = idle;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 10);
  const begun = performance.now();
  await exchange.as('ukr-authority-1').giveAssurance({ params: { caseId }, body: { verdict: 'give', proposalDigest } });
  await untilPhase(exchange, 'can-desk-1', caseId, 'RELEASED');
  const seconds = (performance.now() - begun) / 1000;
  clearInterval(watch);
  const round = (value: number): number => Math.round(value * 10) / 10;
  return {
    mib,
    idleRssMib: round(idle / MIB),
    peakAboveIdleMib: round((peak - idle) / MIB),
    mibPerSecond: round(mib / seconds),
  };
}

const folder = await mkdtemp(join(tmpdir(), 'valiza-bench-'));
const exchange = await startExchange({ environment: 'can-local' });
try {
  const apiAs = exchange.as;
  await enterPeople({ apiAs, keysFolder: join(folder, 'keys'), at: fromEpoch(exchange.runtime.clock.now()) });
  const sealing: Measured[] = [];
  for (const mib of sizes.length > 0 ? sizes : [64, 1024]) sealing.push(await measure(exchange, folder, mib));
  console.log(JSON.stringify({ sealing }, undefined, 2));
} finally {
  await exchange.stop();
  await rm(folder, { recursive: true, force: true });
}
