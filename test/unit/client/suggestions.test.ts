import { commandsInWords } from '../../../bin/client/command-words.ts';
import { suggestionsFor } from '../../../bin/client/suggestions.ts';

const USUAL = 'http://127.0.0.1:4610';
const NPX = { npm_lifecycle_event: 'npx' };

describe('a suggested command', () => {
  it.each([
    ['as it is', { exchange: USUAL }, {}, 'valiza show 1'],
    ['through npx', { exchange: USUAL }, NPX, 'npx valiza show 1'],
    ['for the same person', { exchange: USUAL, as: 'can-desk-1' }, NPX, 'npx valiza --as can-desk-1 show 1'],
    ['at the same exchange', { exchange: 'https://x.example' }, {}, 'valiza --exchange https://x.example show 1'],
    [
      'where the environment says',
      { exchange: 'https://x.example' },
      { VALIZA_EXCHANGE: 'https://x.example' },
      'valiza show 1',
    ],
    ['with the same keys', { exchange: USUAL, exercise: 'keys' }, {}, 'valiza --exercise keys show 1'],
  ])('can be typed %s', (_name, options, env, typed) => {
    expect(suggestionsFor(options, env)('valiza show 1')).toBe(typed);
  });

  it('names the reader in each command of theirs', () => {
    const suggested = suggestionsFor({ exchange: USUAL, as: 'can-desk-1' }, {});
    expect(suggested('valiza deposit 1 <file>, then valiza propose 1')).toBe(
      'valiza --as can-desk-1 deposit 1 <file>, then valiza --as can-desk-1 propose 1',
    );
  });

  it('does not name the reader in the command of somebody else', () => {
    const suggested = suggestionsFor({ exchange: 'http://127.0.0.1:1', as: 'can-desk-1' }, NPX);
    expect(suggested('a second person: valiza resume 1')).toBe(
      'a second person: npx valiza --exchange http://127.0.0.1:1 resume 1',
    );
  });
});

describe('what somebody may do', () => {
  it('is said as this client calls it, once', () => {
    expect(commandsInWords(['OpenDeposit', 'CompleteDeposit', 'PutProposal'])).toBe('deposit, propose');
  });

  it('is left as it is where this client does not know it', () => {
    expect(commandsInWords(['Extend', 'toString', 'Recall'])).toBe('Extend, toString, recall');
  });
});
