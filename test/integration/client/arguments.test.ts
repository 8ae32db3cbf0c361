import type { Kysely } from 'kysely';
import { afterAll, describe, expect, test } from 'vitest';

import { createCache, createDatabase, poolStats, withUser, type UserOptions } from '../../../src/index.js';
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

  test('createDatabase, createCache and poolStats refuse theirs', () => {
    expect(() => createDatabase({ poolsize: 5 } as object)).toThrow('createDatabase: unknown option "poolsize"');
    expect(() => createCache({ tllMs: 5 } as object)).toThrow('createCache: unknown option "tllMs"');
    expect(() => poolStats(undefined as unknown as Kysely<Tables>)).toThrow(
      'poolStats: the first argument is not a database',
    );
  });
});
