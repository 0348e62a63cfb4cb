import { everyCall, FEW_MISSED, openStage, undisturbed, type Stage } from '../support/disturbed-lives.ts';
import { examined } from '../support/examined.ts';
import type { Story } from '../support/lives.ts';

jest.setTimeout(900_000);

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/**
 * In each life every function that works for it crashes once in every act, at another call from life to life. The sweep and the caller, who
 * sends the same request again, repair it, and nothing but what failed on the way tells the file from that of a life nobody disturbed.
 */
test.each<[Story, string]>([['expire', 'submit']])(
  'a crash before and after every call of every function does no lasting harm: %s, from %s on',
  async (story, from) => {
    const reference = await undisturbed(stage, story, from);
    const { found, missed } = await everyCall(stage, story, from, reference, [
      { fault: 'crash', moment: 'before' },
      { fault: 'crash', moment: 'after' },
    ]);
    expect(found).toEqual([]);
    expect(missed.length).toBeLessThan(FEW_MISSED * stage.points.hits);
    examined('crashes', stage.points.hits);
  },
);
