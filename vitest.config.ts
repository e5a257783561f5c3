import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          include: ['{db,nodes,workflows,engine}/**/*.test.ts', 'tests/{integration,contract,durability}/**/*.test.ts'],
          globalSetup: ['db/src/testing-global.ts'],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['tests/{faults,replay}/**/*.test.ts'],
          globalSetup: ['db/src/testing-global.ts'],
          pool: 'forks',
          // Each brings up a whole platform, and its figures are of the machine: nothing else runs beside it.
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: process.env['PLUMBLINE_FAULTS'] === 'full' ? 1_200_000 : 240_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'studio',
          include: ['studio/src/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          pool: 'forks',
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
