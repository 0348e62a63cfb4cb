import { openScene } from '../test/support/exchange.ts';
import { quantile, round, type Figure, type Subject } from './figures.ts';
import { live, type Life } from './life.ts';

/** Whole lives for each number of lives under way at once. */
const LIVES: readonly (readonly [concurrency: number, lives: number])[] = [
  [1, 20],
  [8, 48],
  [32, 96],
];

async function measure(): Promise<readonly Figure[]> {
  const scene = await openScene();
  try {
    // Every function's workers have started, and the code that runs is the optimised one.
    await Promise.all(Array.from({ length: 8 }, () => live(scene)));
    const figures: Figure[] = [];
    for (const [concurrency, lives] of LIVES) figures.push(...(await at(concurrency, lives)));
    return figures;
  } finally {
    await scene.close();
  }

  async function at(concurrency: number, lives: number): Promise<readonly Figure[]> {
    const lived: Life[] = [];
    let left = lives;
    const begun = performance.now();
    const one = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        lived.push(await live(scene));
      }
    };
    await Promise.all(Array.from({ length: concurrency }, one));
    const seconds = (performance.now() - begun) / 1000;
    const milliseconds = (name: string, values: readonly number[]): Figure[] =>
      [0.5, 0.99].map((share) => ({
        name: `${name}, p${share * 100}, ${concurrency} at once`,
        value: round(quantile(values, share), 0),
        unit: 'ms',
      }));
    return [
      { name: `whole lives, ${concurrency} at once`, value: round(lives / seconds, 2), unit: 'cases/s' },
      ...milliseconds(
        'decision → released',
        lived.map((life) => life.decisionToRelease),
      ),
      ...milliseconds(
        'assurance → released',
        lived.map((life) => life.assuranceToRelease),
      ),
    ];
  }
}

export const throughput: Subject = {
  name: 'throughput',
  title: 'Cases per second on the local runtime: memory only, whole lives through the API, everything in one process',
  seconds: 90,
  measure,
};
