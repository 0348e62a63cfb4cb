const shared = {
  testEnvironment: 'node',
  transform: { '^.+\\.(ts|js|mjs)$': '<rootDir>/scripts/jest-esbuild.cjs' },
  transformIgnorePatterns: ['/node_modules/(?!(jose|canonicalize)/)'],
  // What is synthesised or bundled is output, and there is much of it.
  modulePathIgnorePatterns: ['<rootDir>/(cdk\\.out|dist|coverage|\\.valiza)/'],
  moduleNameMapper: { '^canonicalize$': '<rootDir>/node_modules/canonicalize/lib/canonicalize.js' },
};
/** `npm test` leaves out what takes minutes; `npm run test:exhaustive` runs exactly that. */
const exhaustive = process.env.TESTS === 'exhaustive';
const LONG = '\\.exhaustive\\.test\\.ts$';

/** One project per layer of tests; see CONTRIBUTING.md for what belongs where. */
const layer = (name) => ({
  ...shared,
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*${exhaustive ? '.exhaustive' : ''}.test.ts`],
  testPathIgnorePatterns: exhaustive ? ['/node_modules/'] : ['/node_modules/', LONG],
});

module.exports = {
  projects: (exhaustive ? ['exchange', 'abuse'] : ['unit', 'workflow', 'infra', 'local', 'exchange', 'abuse']).map(
    layer,
  ),
  // A bound for what hangs, with room for a machine that is busy; no test asserts a duration.
  testTimeout: 60_000,
  // The domain is covered whole: npm run test:coverage.
  coverageProvider: 'v8',
  collectCoverageFrom: ['lambdas/domain/**/*.ts'],
  coverageReporters: ['text'],
  coverageThreshold: { global: { branches: 100 } },
  maxWorkers: 2,
  ...(exhaustive ? { testSequencer: '<rootDir>/scripts/longest-first.cjs' } : {}),
};
