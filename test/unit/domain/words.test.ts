import * as commands from '../../../lambdas/domain/commands.ts';
import * as events from '../../../lambdas/domain/events.ts';
import * as outcome from '../../../lambdas/domain/outcome.ts';

it.each([
  ['commands', commands],
  ['events', events],
  ['outcome', outcome],
])('%s are words only: nothing runs in them', (_, words) => {
  expect(Object.keys(words)).toEqual([]);
});
