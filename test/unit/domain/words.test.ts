import * as commands from '../../../lambdas/domain/commands.ts';
import * as events from '../../../lambdas/domain/events.ts';

it.each([
  ['commands', commands],
  ['events', events],
])('%s are words only: nothing runs in them', (_, words) => {
  expect(Object.keys(words)).toEqual([]);
});
