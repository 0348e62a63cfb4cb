import { MINUTE, openScene, type Scene } from '../test/support/exchange.ts';
import { round, type Figure, type Subject } from './figures.ts';
import { addCases, CaseTemplate, TableNames } from './full-table.ts';

const SIZES = [1_000, 10_000, 100_000];

interface Units {
  readonly read: number;
  readonly write: number;
  readonly milliseconds: number;
}

/** What something consumes, with everything that follows from it. */
async function consumed(scene: Scene, work: () => Promise<unknown>): Promise<Units> {
  const { meter } = scene.runtime;
  await scene.runtime.settled();
  meter.reset();
  const begun = performance.now();
  await work();
  await scene.runtime.settled();
  const milliseconds = performance.now() - begun;
  const { rru: read = 0, wru: write = 0 } = meter.read()['dynamodb'] ?? {};
  return { read, write, milliseconds };
}

const sweepsOf = (scene: Scene): number =>
  scene.runtime.meter.read()['lambda invocations']?.[`valiza-${scene.exchange.environment}-sweep-cases`] ?? 0;

async function operations(scene: Scene, caseId: string): Promise<ReadonlyMap<string, Units>> {
  const { who } = scene;
  const desk = scene.as(who.desk);
  const found = new Map<string, Units>();
  const submit = await consumed(scene, () => scene.submit());
  found.set('submit, until it is registered and announced', submit);
  found.set('get a case', await consumed(scene, () => desk.readCase({ params: { caseId } })));
  const page = { query: { phase: 'UNDER_REVIEW', limit: '50' } } as const;
  found.set('queue page of 50', await consumed(scene, () => desk.listCases(page)));
  // The case that was just submitted is looked at once, then nothing is due.
  await scene.runtime.clock.advance(5 * MINUTE);
  let sweeps = 0;
  const sweep = await consumed(scene, async () => {
    await scene.runtime.clock.advance(10 * MINUTE);
    await scene.runtime.settled();
    sweeps = sweepsOf(scene);
  });
  const share = (value: number): number => value / sweeps;
  found.set('sweep', { read: share(sweep.read), write: share(sweep.write), milliseconds: share(sweep.milliseconds) });
  return found;
}

async function measure(): Promise<readonly Figure[]> {
  const tables = new TableNames();
  const scene = await openScene({ amend: tables.look });
  try {
    const { caseId } = await scene.submit();
    await scene.runtime.settled();
    // Until the sweep has looked at it, so that no copy is due.
    await scene.runtime.clock.advance(5 * MINUTE);
    await scene.runtime.settled();
    const template = await CaseTemplate.of(scene, tables, caseId);
    const bySize: ReadonlyMap<string, Units>[] = [];
    let cases = 1;
    for (const size of SIZES) {
      await addCases(scene, tables, template, size - cases);
      cases = size;
      bySize.push(await operations(scene, caseId));
      // The one that operations() submits.
      cases += 1;
    }
    return [...(bySize[0]?.keys() ?? [])].flatMap((name) => {
      const all = bySize.map((operations) => operations.get(name));
      const flat = all.every((units) => units?.read === all[0]?.read && units?.write === all[0]?.write);
      return SIZES.map((size, index): Figure => {
        const { read = 0, write = 0, milliseconds = 0 } = all[index] ?? {};
        return {
          name: `${name}, ${size.toLocaleString('en')} cases`,
          value: `${round(read)} read, ${round(write)} written`,
          unit: 'units',
          limit: 'flat',
          within: flat,
          note: `${round(milliseconds, 0)} ms here`,
        };
      });
    });
  } finally {
    await scene.close();
  }
}

export const capacity: Subject = {
  name: 'capacity',
  title: 'Capacity units as the table grows: every case under review, in one queue',
  seconds: 120,
  measure,
};
