import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from '../test/support/closing-line-reporter.js';
import { COMPILED, compiledSource } from './compiled-source.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const second = 1000;

// Large pages for what the workers allocate: an embedded database is 60 MB, of which the small ones are half the time of a
// start. glibc reads it when a worker starts; elsewhere nothing does.
process.env['GLIBC_TUNABLES'] ??= 'glibc.malloc.hugetlb=1';

interface Kind {
  readonly testTimeout: number;
  /** Groups run one after another: what fails fast runs first. */
  readonly group: number;
  readonly usesDatabases: boolean;
}

/** One directory of test/ is one project: `npm test -- --project unit`. */
function project(name: string, { testTimeout, group, usesDatabases }: Kind) {
  return {
    root,
    plugins: usesDatabases ? [compiledSource] : [],
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      pool: 'forks' as const,
      // The embedded PostgreSQL compiled once, as the command line does it: half the CPU of a short life.
      execArgv: ['--liftoff-only'],
      server: { deps: { external: [COMPILED] } },
      isolate: false,
      // Much of the time is spent waiting for a server or a child process, so one more worker than cores pays.
      maxWorkers: Math.min(availableParallelism() + 1, 8),
      sequence: { groupOrder: group },
      testTimeout,
      hookTimeout: 180 * second,
      setupFiles: usesDatabases ? ['test/support/clean-up.ts'] : [],
    },
  };
}

export default defineConfig({
  root,
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', new ClosingLineReporter()],
    teardownTimeout: 60 * second,
    projects: [
      project('unit', { testTimeout: 10 * second, group: 0, usesDatabases: false }),
      project('architecture', { testTimeout: 120 * second, group: 1, usesDatabases: false }),
      project('types', { testTimeout: 120 * second, group: 0, usesDatabases: false }),
      project('integration', { testTimeout: 60 * second, group: 1, usesDatabases: true }),
      project('cli', { testTimeout: 120 * second, group: 1, usesDatabases: true }),
      project('docs', { testTimeout: 120 * second, group: 1, usesDatabases: true }),
    ],
  },
});
