import { existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { differences, openStage, perform, undisturbed, type Stage } from './disturbed-lives.ts';
import { MINUTE } from './exchange.ts';
import { newLife, STORIES, type Life } from './lives.ts';

const STORY = 'expire unacknowledged';
const ORDER = ['SUBMITTED', 'UNDER_REVIEW', 'AWAITING_ASSURANCE', 'SEALING', 'RELEASED', 'CLOSING', 'CLOSED'];

/** Leads a life to its end from wherever it stands, as people do who found their exchange gone and then there again. */
async function leadOn(stage: Stage, life: Life): Promise<void> {
  for (const act of STORIES[STORY]) {
    const seen = life.caseId === '' ? undefined : await stage.scene.read(life.caseId);
    if (seen !== undefined && ORDER.indexOf(seen.phase) > ORDER.indexOf(act.to)) continue;
    const needed = seen === undefined || (act.needed?.(seen) ?? true);
    await perform(stage, needed ? act : { ...act, do: () => Promise.resolve() }, [life]);
  }
}

/**
 * Runs an exchange on a folder: leads the lives of earlier processes to their ends, then begins another, and dies as by a loss of power at
 * its nth call; with 0 it does not, and writes what it found wrong with any of them.
 */
async function run(folder: string, nth: number): Promise<void> {
  const path = join(folder, 'lives.json');
  const tags = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as string[]) : [];
  const stage = await openStage({ folder, dataDirectory: join(folder, 'data'), people: tags.length === 0 });
  const lives = tags.map((tag) => newLife(tag));
  for (const life of lives.slice(-1)) await leadOn(stage, life);
  if (nth > 0) {
    const life = newLife();
    writeFileSync(path, JSON.stringify([...tags, life.tag]));
    const { faults } = stage.scene.runtime;
    let calls = 0;
    // Every second time after the call, when it has happened and nobody knows.
    const moment = nth % 2 === 0 ? 'before' : 'after';
    faults.plan = (point) => {
      if (point.instance !== undefined && point.moment === moment) calls += 1;
      return calls === nth ? 'kill' : undefined;
    };
    await leadOn(stage, life);
    throw new Error(`The life ended after ${calls} calls.`);
  }
  await stage.scene.runtime.clock.advance(5 * MINUTE);
  const reference = await undisturbed(stage, STORY, 'submit');
  const found: string[] = [];
  for (const life of lives) {
    // Asked for under its key, each life tells its case; none is opened anew.
    await STORIES[STORY][0]?.do(stage.scene, life);
    found.push(...(await differences(stage, life, reference)).filter((what) => !what.includes(' told ')));
  }
  writeSync(1, JSON.stringify({ lives: lives.length, cases: new Set(lives.map(({ caseId }) => caseId)).size, found }));
  await stage.close();
}

const [folder, nth] = process.argv.slice(2);
if (folder === undefined || nth === undefined) throw new Error('Name the folder, and the call at which to die.');
await run(folder, Number(nth));
process.exit(0);
