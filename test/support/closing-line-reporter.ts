import type { Reporter, SerializedError, TestModule, TestSuite, Vitest } from 'vitest/node';
import { needsBrowser, needsCitus, needsPrivateServer, needsRedis, needsServer, needsStore } from './needs.js';

const needs = [needsServer, needsRedis, needsPrivateServer, needsStore, needsBrowser, needsCitus];

interface Count {
  passed: number;
  failed: number;
  skipped: number;
  withoutServer: number;
}

/**
 * Ends the output with what ran: the databases, what was left out or not run for want of one, and one line alone,
 * `12 passed, 0 failed` or `12 passed, 0 failed, 3 skipped`. A hook that failed counts as a failure,
 * so the line never says 0 failed when the exit code does not. A run that ran nothing fails.
 */
export class ClosingLineReporter implements Reporter {
  readonly #leftOut: readonly string[];
  #vitest: Vitest | undefined;

  /** @param leftOut projects of this configuration that are not in this run */
  constructor(leftOut: readonly string[]) {
    this.#leftOut = leftOut;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const count = countTests(modules);
    count.failed += unhandledErrors.length;
    if (count.failed > 0 || count.passed === 0) process.exitCode = 1;

    const databases = this.#vitest?.getRootProject().getProvidedContext().databases;
    if (databases) console.log(databases);
    if (count.withoutServer > 0) {
      console.log(
        `NOT RUN: ${count.withoutServer} tests that need a server that is not here; see test/support/services (and docs/scale.md for Citus)`,
      );
    }
    if (this.#leftOut.length > 0) {
      const [first = ''] = this.#leftOut;
      console.log(
        `LEFT OUT: test/${this.#leftOut.join(', test/')}; they are in "npm run test:all" and "npm run check" (one alone: npm test -- --project ${first})`,
      );
    }
    console.log(closingLine(count));
  }
}

function countTests(modules: readonly TestModule[]): Count {
  const count: Count = { passed: 0, failed: 0, skipped: 0, withoutServer: 0 };
  for (const module of modules) {
    count.failed += brokenHooks(module);
    for (const suite of module.children.allSuites()) count.failed += brokenHooks(suite);
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // Still pending at the end: its worker died.
      count[state === 'pending' ? 'failed' : state] += 1;
      if (state !== 'skipped') continue;
      if (needs.some((need) => test.fullName.includes(need))) count.withoutServer += 1;
    }
  }
  return count;
}

/** Errors outside of any test: a file that does not load, beforeAll, afterAll. */
function brokenHooks(suite: TestModule | TestSuite): number {
  return suite.errors().length;
}

/** `12 passed, 0 failed`, and how many were skipped when some were. */
export function closingLine({ passed, failed, skipped }: Omit<Count, 'withoutServer'>): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped > 0 ? `${line}, ${skipped} skipped` : line;
}
