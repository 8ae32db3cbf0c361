import { expect, test } from 'vitest';

import { recognized } from '../../../src/features/backup/run/server-texts.js';
import { AisecError } from '../../../src/base/errors.js';
import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { withSession } from '../catalog/catalog-session.js';

describeOnServer('what a program repeats of the server in any language', () => {
  test('is recognized by the words that the server itself has for it', async () => {
    const { url } = await createServerDatabase();
    await withSession(url, async (session) => {
      const codeOf = async (detail: string): Promise<unknown> => {
        const error = await recognized(session, new AisecError('PG_TOOL_FAILED', 'pg_dump failed', { detail }));
        return error instanceof AisecError ? error.code : error;
      };
      expect(await codeOf('x: ERREUR:  canceling statement due to lock timeout')).toBe('LOCK_TIMEOUT');
      expect(await codeOf('x: ERREUR:  canceling statement due to statement timeout')).toBe('LOCK_TIMEOUT');
      expect(await codeOf('x: FATAL:  terminating connection due to administrator command')).toBe('CONNECTION_LOST');
      expect(await codeOf('x: ERREUR:  division by zero')).toBe('PG_TOOL_FAILED');
      expect(await session.query('select 1 as one')).toMatchObject({ rows: [{ one: 1 }] });
    });
  });
});
