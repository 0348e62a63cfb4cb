import { everyCall, FEW_MISSED, leadTogether, openStage, undisturbed, type Stage } from '../support/disturbed-lives.ts';
import { examined } from '../support/examined.ts';
import { MINUTE, SECOND } from '../support/exchange.ts';
import { STORIES, type Story } from '../support/lives.ts';

jest.setTimeout(900_000);

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterEach(() => {
  Object.assign(stage.scene.runtime.faults, {
    duplicateStreamDelivery: false,
    reorderStreamDelivery: false,
    indexLag: 0,
  });
});
afterAll(() => stage.close());

test('no call that is throttled, or whose answer is lost, does lasting harm', async () => {
  const reference = await undisturbed(stage, 'expire', 'submit');
  const { found, missed } = await everyCall(stage, 'expire', 'submit', reference, [
    { fault: 'throttle', moment: 'before' },
    { fault: 'cut', moment: 'after' },
  ]);
  expect(found).toEqual([]);
  expect(missed.length).toBeLessThan(FEW_MISSED * stage.points.hits);
  examined('calls', stage.points.hits);
});

/** From which act on a story is its own. */
const stories = Object.keys(STORIES) as Story[];

test.each(stories)(
  'records delivered twice and in another order, and indexes behind, do none either: %s',
  async (story) => {
    const reference = await undisturbed(stage, story, 'submit');
    Object.assign(stage.scene.runtime.faults, {
      duplicateStreamDelivery: true,
      reorderStreamDelivery: true,
      indexLag: 90 * SECOND,
    });
    expect(await leadTogether(stage, story, reference)).toEqual([]);
    examined('deliveries', 8);
  },
);

test.each([
  'assess-request',
  'await-party',
  'seal-package',
  'open-release',
  'close-release',
  'announce',
  'resume-workflow',
  'sweep-cases',
])('nor does a clock of %s that is five minutes behind, or ahead', async (step) => {
  const name = `valiza-can-local-${step}`;
  const reference = await undisturbed(stage, 'expire', 'submit');
  for (const skew of [-5 * MINUTE, 5 * MINUTE]) {
    stage.scene.runtime.services.lambda.skew(name, skew);
    expect(await leadTogether(stage, 'expire', reference, 1)).toEqual([]);
    stage.scene.runtime.services.lambda.skew(name, 0);
  }
  examined('clocks', 2);
});
