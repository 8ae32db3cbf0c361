import type { Kysely } from 'kysely';
import { afterAll, describe, expect, test } from 'vitest';

import {
  AisecError,
  checkHealth,
  createCache,
  createDatabase,
  insertKnowledge,
  poolStats,
  searchKnowledge,
  withUser,
  type UserOptions,
} from '../../../src/index.js';
import { createTestDatabase } from '../../../src/testing/index.js';
import { userId, type Tables } from './service-role.js';

describe('What TypeScript would have refused', () => {
  const nobody = createDatabase<Tables>({ url: 'postgres://nobody@127.0.0.1:1/nothing' });
  afterAll(() => nobody.destroy());
  const run = (): Promise<void> => Promise.resolve();

  test.each([
    [{ isReadonly: true }, 'unknown option "isReadonly"', 'Did you mean "isReadOnly"?'],
    [{ timeout: 5 }, 'unknown option "timeout"', 'There are: role, isolationLevel'],
    [{ signal: 5 }, 'signal is not an AbortSignal', 'controller.signal'],
    [null, 'the options are not an object', 'role'],
    ['read only', 'the options are not an object', 'role'],
  ])('withUser refuses the options %j', async (options, message, hint) => {
    await expect(withUser(nobody, userId(1), run, options as UserOptions)).rejects.toMatchObject({
      code: 'USER_SCOPE',
      message: `withUser: ${message}`,
      hint: expect.stringContaining(hint),
    });
  });

  test.each([undefined, null, {}, 'postgres://db'])('withUser refuses the database %j', async (db) => {
    await expect(withUser(db as Kysely<Tables>, userId(1), run)).rejects.toMatchObject({
      code: 'USER_SCOPE',
      message: expect.stringContaining('withUser: the first argument is not a database'),
      hint: 'Give what createDatabase returned.',
    });
  });

  test('checkHealth, createTestDatabase, a search and a row of knowledge refuse theirs, nested ones, too', async () => {
    await expect(checkHealth(nobody, { timeoutMS: 5 } as object)).rejects.toThrow('Health: unknown option "timeoutMS"');
    await expect(createTestDatabase({ migrationDir: 'db' } as object)).rejects.toThrow('unknown option "migrationDir"');
    const embedding = Array.from({ length: 1536 }, () => 1);
    const search = searchKnowledge(nobody, { embedding, accuracy: { efsearch: 9 } as object });
    await expect(search).rejects.toThrow('searchKnowledge: accuracy: unknown option "efsearch"');
    const rows = [
      { secretary_id: userId(1), content: 'x' },
      { secretary_id: userId(1), content: 'x', embeding: embedding },
    ];
    await expect(insertKnowledge(nobody, rows)).rejects.toMatchObject({
      code: 'USAGE',
      message: 'insertKnowledge: row 1: unknown column "embeding"',
      hint: 'Did you mean "embedding"?',
    });
  });

  test('an error of the package has its message in JSON, too', () => {
    const error = new AisecError('CACHE_UNAVAILABLE', 'changes cannot be heard', { hint: 'Give listenUrl.' });
    expect(JSON.parse(JSON.stringify({ problem: error }))).toEqual({
      problem: {
        name: 'AisecError',
        code: 'CACHE_UNAVAILABLE',
        message: 'changes cannot be heard',
        hint: 'Give listenUrl.',
      },
    });
  });

  test('createDatabase, createCache and poolStats refuse theirs', () => {
    expect(() => createDatabase({ poolsize: 5 } as object)).toThrow('createDatabase: unknown option "poolsize"');
    expect(() => createCache({ tllMs: 5 } as object)).toThrow('createCache: unknown option "tllMs"');
    expect(() => poolStats(undefined as unknown as Kysely<Tables>)).toThrow(
      'poolStats: the first argument is not a database',
    );
  });
});
