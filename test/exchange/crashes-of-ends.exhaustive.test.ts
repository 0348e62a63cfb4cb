import { everyCall, FEW_MISSED, openStage, undisturbed, type Stage } from '../support/disturbed-lives.ts';
import { examined } from '../support/examined.ts';
import type { Story } from '../support/lives.ts';

jest.setTimeout(900_000);

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** From the act in which each story leaves those before it: until then it is the one of `crashes.exhaustive.test.ts`. */
test.each<[Story, string]>([
  ['refuse', 'refuse'],
  ['lapse', 'lapse'],
  ['withdraw', 'withdraw'],
  ['recall', 'recall'],
])(
  'a crash before and after every call of every function does no lasting harm: %s, from %s on',
  async (story, from) => {
    const before = stage.points.hits;
    const reference = await undisturbed(stage, story, from);
    const { found, missed } = await everyCall(stage, story, from, reference, [
      { fault: 'crash', moment: 'before' },
      { fault: 'crash', moment: 'after' },
    ]);
    expect(found).toEqual([]);
    expect(missed.length).toBeLessThan(FEW_MISSED * stage.points.hits);
    examined('crashes', stage.points.hits - before);
  },
);
