import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openPackage } from '../bin/client/open-package.ts';
import { silent } from '../bin/client/progress.ts';
import { measureFile, upload } from '../bin/client/upload.ts';
import { writeLargeDocument } from '../examples/exercise/tender.ts';
import { HOUR, openScene } from '../test/support/exchange.ts';
import { round } from './figures.ts';
import { HOLD, stateEntered } from './life.ts';

/** MiB/s of one document from the last act to RELEASED, and from the recipient's command to the verified document, on the local runtime. */
export async function releaseOnRuntime(
  mib: number,
  folder: string,
): Promise<{ readonly sealed: number; readonly opened: number }> {
  const scene = await openScene();
  try {
    const { who } = scene;
    const file = join(folder, 'document.bin');
    await writeLargeDocument(file, mib * 1024 ** 2);
    const { caseId } = await scene.submit();
    const desk = scene.as(who.desk);
    const { digest, length } = await measureFile(file);
    const { depositId, upload: address } = await desk.openDeposit({ params: { caseId }, body: { digest, length } });
    if (address === undefined) throw new Error('The deposit came without an address.');
    await upload(address, file, () => undefined);
    await rm(file);
    await desk.completeDeposit({ params: { caseId, depositId }, body: {} });
    const marking = { axis: 'protected', mark: scene.mark } as const;
    const proposed = await desk.putProposal({
      params: { caseId },
      body: {
        documents: [{ depositId, title: 'EXERCISE', marking, pages: 1 }],
        recipients: [{ personId: who.recipient, keyFingerprint: await scene.fingerprintOf(who.recipient) }],
        conditions: [],
        notAfter: new Date(scene.runtime.clock.now() + HOUR).toISOString(),
        copies: 1,
      },
    });
    await scene.approve(proposed, who.releasing);
    await scene.approve(proposed, who.security);
    await scene.runtime.settled();
    const decided = performance.now();
    await scene.assure(proposed);
    await stateEntered(scene, caseId, HOLD);
    const released = performance.now();
    const key = await scene.keyOf(who.recipient);
    const target = join(folder, 'opened');
    await mkdir(target);
    await openPackage(scene.as(who.recipient), { caseId, key, folder: target, force: false, progress: silent });
    const opened = performance.now();
    await rm(target, { recursive: true });
    return {
      sealed: round((mib / (released - decided)) * 1000, 0),
      opened: round((mib / (opened - released)) * 1000, 0),
    };
  } finally {
    await scene.close();
  }
}
