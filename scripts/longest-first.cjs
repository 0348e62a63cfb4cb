// Jest's order for the long tests: those that give themselves the most time (`jest.setTimeout`) begin first, so that none of them is left to the end.
const { readFileSync } = require('node:fs');
const Sequencer = require('@jest/test-sequencer').default;

const timeOf = ({ path }) =>
  Number(/^jest\.setTimeout\(([\d_]+)\)/m.exec(readFileSync(path, 'utf8'))?.[1].replaceAll('_', '') ?? 0);

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).toSorted((one, other) => timeOf(other) - timeOf(one));
  }
};
