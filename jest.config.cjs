const shared = {
  testEnvironment: 'node',
  transform: { '^.+\\.(ts|js|mjs)$': '<rootDir>/scripts/jest-esbuild.cjs' },
  transformIgnorePatterns: ['/node_modules/(?!(jose|canonicalize)/)'],
  moduleNameMapper: { '^canonicalize$': '<rootDir>/node_modules/canonicalize/lib/canonicalize.js' },
};
const layer = (name) => ({ ...shared, displayName: name, testMatch: [`<rootDir>/test/${name}/**/*.test.ts`] });

module.exports = {
  projects: ['unit', 'workflow', 'infra', 'local', 'exchange', 'abuse'].map(layer),
  coverageProvider: 'v8',
  collectCoverageFrom: ['lambdas/domain/**/*.ts'],
  coverageThreshold: { global: { branches: 100 } },
  maxWorkers: 2,
};
