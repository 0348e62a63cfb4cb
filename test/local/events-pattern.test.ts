import { compilePattern } from '../../local/services/events/event-pattern.ts';

const event = {
  source: 'app.cases',
  'detail-type': 'Opened',
  detail: {
    nation: 'CAN',
    level: 3,
    tags: ['a', 'b'],
    open: true,
    closed: null,
    parts: [{ kind: 'x' }, { kind: 'y' }],
    nested: { deep: '' },
  },
};

describe('an event pattern', () => {
  it.each<[string, unknown, string]>([
    ['nothing', {}, 'not valid'],
    ['a list', [], 'not valid'],
    ['a value without a list', { source: 'app' }, 'must be an object or an array'],
    ['an empty list', { source: [] }, 'Empty arrays'],
    ['two operators at once', { source: [{ prefix: 'a', exists: true }] }, 'exactly one operator'],
    ['exists without a truth', { source: [{ exists: 'yes' }] }, 'exists takes'],
    ['numbers as text', { detail: { level: [{ numeric: ['>', '1'] }] } }, 'comparisons of numbers'],
    ['an unknown comparison', { detail: { level: [{ numeric: ['!=', 1] }] } }, 'comparisons of numbers'],
    ['anything but a truth', { source: [{ 'anything-but': true }] }, 'anything-but takes'],
    ['alternatives', { $or: [{ source: ['a'] }] }, 'operator $or'],
    ['a wildcard', { source: [{ wildcard: 'a*' }] }, 'operator wildcard'],
    ['a suffix', { source: [{ suffix: 'a' }] }, 'operator suffix'],
    ['anything but a suffix', { source: [{ 'anything-but': { suffix: 'a' } }] }, 'anything-but with another operator'],
  ])('refuses %s', (_, pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(message);
  });

  it.each<[unknown, boolean]>([
    [{ source: ['app.cases'] }, true],
    [{ source: ['other', 'app.cases'], 'detail-type': ['Opened'] }, true],
    [{ source: ['app.cases'], 'detail-type': ['Closed'] }, false],
    [{ detail: { level: [3] } }, true],
    [{ detail: { level: ['3'] } }, false],
    [{ detail: { open: [true], closed: [null] } }, true],
    [{ detail: { tags: ['b'] } }, true],
    [{ detail: { tags: ['c'] } }, false],
    [{ detail: { parts: { kind: ['y'] } } }, true],
    [{ detail: { parts: { kind: ['z'] } } }, false],
    [{ detail: { nested: { deep: [''] } } }, true],
    [{ source: [{ prefix: 'app.' }] }, true],
    [{ source: [{ prefix: 'aws.' }] }, false],
    [{ detail: { level: [{ prefix: '3' }] } }, false],
    [{ source: [{ 'anything-but': 'app.cases' }] }, false],
    [{ source: [{ 'anything-but': ['x', 'y'] }] }, true],
    [{ source: [{ 'anything-but': { prefix: 'app' } }] }, false],
    [{ detail: { missing: [{ 'anything-but': 'x' }] } }, false],
    [{ detail: { missing: [{ exists: false }] } }, true],
    [{ detail: { missing: { deeper: [{ exists: false }] } } }, true],
    [{ detail: { nation: [{ exists: true }] } }, true],
    [{ detail: { nation: [{ exists: false }] } }, false],
    [{ detail: { closed: [{ exists: true }] } }, true],
    [{ detail: { nested: [{ exists: true }] } }, false],
    [{ detail: { level: [{ numeric: ['>', 2, '<=', 3] }] } }, true],
    [{ detail: { level: [{ numeric: ['<', 3] }] } }, false],
    [{ detail: { nation: [{ numeric: ['=', 3] }] } }, false],
  ])('%j: %s', (pattern, matches) => {
    expect(compilePattern(pattern)(event)).toBe(matches);
  });
});
