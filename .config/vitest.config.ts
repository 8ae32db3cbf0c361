import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { ClosingLineReporter } from '../test/support/closing-line-reporter.js';
import { temporaryDirectory } from '../test/support/temporary-directory.js';
import { COMPILED, compiledSource } from './compiled-source.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const second = 1000;

// Large pages for what the workers allocate: an embedded database is 60 MB, of which the small ones are half the time of a
// start. glibc reads it when a worker starts; elsewhere nothing does.
process.env['GLIBC_TUNABLES'] ??= 'glibc.malloc.hugetlb=1';
// Workers and what they start find it there.
process.env['TMPDIR'] = temporaryDirectory();

/** Left out of `npm test`, unless an argument names one: as long as all the rest, and what changes seldom. `npm run test:all`. */
const LEFT_OUT = (process.env['AISEC_TEST_WITHOUT']?.split(',') ?? []).filter(
  (name) => !process.argv.slice(2).some((argument) => argument.includes(name)),
);

/** Of their projects, by seconds: begun last, one of them would run alone. Others go by the size of their file. */
const DEAREST = [
  'chaos/archive-restart',
  'chaos/archive-at-statement',
  'chaos/archive-pairs',
  'chaos/partitions-at-statement',
  'packed/week-of-a-dba',
  'packed/bundlers',
  'packed/test-projects',
  'packed/examples',
  'embedded/backup',
  'embedded/restore',
  'scenarios/pages-in-a-browser',
  'scenarios/runbook-disasters',
  'scenarios/rehearsal',
  'integration/lint/rules',
  'integration/migrate/drift',
  'integration/migrate/adopt',
  'integration/vector/rebuild',
];
const isDear = ({ moduleId }: TestSpecification): boolean => DEAREST.some((name) => moduleId.includes(`/test/${name}`));

class DearestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const longFirst = ['chaos', 'packed', 'embedded', 'scenarios', ...sorted.map(({ project: { name } }) => name)];
    const names = [...new Set(longFirst)];
    return names.flatMap((name) => {
      const ofProject = sorted.filter(({ project: { name: its } }) => its === name);
      return [...ofProject.filter(isDear), ...ofProject.filter((file) => !isDear(file))];
    });
  }
}

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
      // Much of the time is spent waiting for a server or a child process, so two workers more than cores pay.
      maxWorkers: Math.min(availableParallelism() + 2, 8),
      sequence: { groupOrder: group },
      testTimeout,
      hookTimeout: 300 * second,
      // What is waited for comes: how long it takes is the machine's business.
      expect: { poll: { timeout: 150 * second } },
      setupFiles: usesDatabases ? ['test/support/away-from-midnight.ts', 'test/support/clean-up.ts'] : [],
    },
  };
}

export default defineConfig({
  root,
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', new ClosingLineReporter(LEFT_OUT)],
    teardownTimeout: 60 * second,
    sequence: { sequencer: DearestFirst },
    projects: [
      project('unit', { testTimeout: 60 * second, group: 0, usesDatabases: false }),
      project('architecture', { testTimeout: 300 * second, group: 1, usesDatabases: false }),
      project('types', { testTimeout: 300 * second, group: 0, usesDatabases: false }),
      project('integration', { testTimeout: 900 * second, group: 1, usesDatabases: true }),
      project('cli', { testTimeout: 900 * second, group: 1, usesDatabases: true }),
      project('docs', { testTimeout: 900 * second, group: 1, usesDatabases: true }),
      // The embedded database by itself: made, killed, served, backed up and restored.
      project('embedded', { testTimeout: 900 * second, group: 1, usesDatabases: true }),
      // Whole stories: a disaster by the runbook, a night of cron, the pages in a browser, amounts that fill the memory.
      project('scenarios', { testTimeout: 900 * second, group: 1, usesDatabases: true }),
      // Kills, faults and pairs at every moment, or by chance; and the packed package, built and tested in projects of others.
      project('chaos', { testTimeout: 900 * second, group: 1, usesDatabases: true }),
      project('packed', { testTimeout: 900 * second, group: 1, usesDatabases: true }),
    ].filter(({ test: { name } }) => !LEFT_OUT.includes(name)),
  },
});
