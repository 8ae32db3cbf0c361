import type { Kysely } from 'kysely';

import { AisecError } from '../base/errors.js';
import type { DB } from '../schema/index.js';
import { createTestDatabase } from './create-test-database.js';
import type { TestDatabase, TestDatabaseOptions } from './test-database.js';

/** As vitest exports them and Jest has them as globals. */
export interface TestHooks {
  readonly beforeAll: (run: () => Promise<void>, timeoutMs?: number) => unknown;
  readonly afterEach: (run: () => Promise<void>, timeoutMs?: number) => unknown;
  readonly afterAll: (run: () => Promise<void>, timeoutMs?: number) => unknown;
}

/** The first call after a change of the migrations applies all of them, on a machine that is busy with other tests. */
const COLD_MS = 180_000;
const RESET_MS = 30_000;

/**
 * A database for the tests of a file: made before them, emptied after each, closed at the end, with timeouts that are
 * right for a machine that is slow and has no snapshot yet.
 *
 * @example
 * import * as hooks from 'vitest'; // Jest: globalThis
 * const test = useTestDatabase(hooks);
 */
export function useTestDatabase<Tables = DB>(
  hooks: TestHooks,
  options: TestDatabaseOptions = {},
): TestDatabase<Tables> {
  let opened: TestDatabase<Tables> | undefined;
  const database = (): TestDatabase<Tables> => {
    if (opened !== undefined) return opened;
    throw new AisecError('USAGE', 'the test database is used before the tests begin', {
      hint: 'Use it inside of a test, or of a beforeAll that comes after useTestDatabase.',
    });
  };
  hooks.beforeAll(async () => {
    opened = await createTestDatabase<Tables>(options);
  }, COLD_MS);
  hooks.afterEach(() => database().reset(), RESET_MS);
  hooks.afterAll(async () => {
    await opened?.close();
    opened = undefined;
  }, RESET_MS);
  return {
    get db(): Kysely<Tables> {
      return database().db;
    },
    get admin(): Kysely<Tables> {
      return database().admin;
    },
    get make() {
      return database().make;
    },
    get role() {
      return database().role;
    },
    get url() {
      return database().url;
    },
    reset: () => database().reset(),
    close: () => database().close(),
  };
}
