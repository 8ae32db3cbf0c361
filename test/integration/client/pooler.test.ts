import { sql, type Kysely } from 'kysely';
import { expect, test } from 'vitest';

import { createDatabase, withUser } from '../../../src/index.js';
import { describeOnServer } from '../../support/database.js';
import { pgbouncer, startPgbouncer } from './pgbouncer.js';
import { createServiceDatabase, userId, type Tables } from './service-role.js';

describeOnServer('behind pgbouncer in transaction mode', () => {
  test.skipIf(pgbouncer === undefined && process.env['CI'] === undefined)(
    '40 users at once on 3 server connections see their own rows only, and nothing without a user, also after errors',
    async () => {
      expect(pgbouncer, 'pgbouncer is not installed (Debian: apt-get install pgbouncer)').toBeDefined();
      const service = await createServiceDatabase(40);
      const pooler = await startPgbouncer(service.url, 3);
      const db: Kysely<Tables> = createDatabase<Tables>({ url: pooler.url, poolSize: 20, maxOverflow: 20 });
      const faults: string[] = [];
      const state = (): Promise<string> =>
        sql<{ state: string }>`
          select concat_ws(' ', current_user, current_setting('app.current_user_id', true), current_setting('timezone')) as state
        `
          .execute(db)
          .then(({ rows }) => rows[0]?.state.replace(/ +/, ' ') ?? '');
      await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          for (let round = 0; round < 15; round += 1) {
            const seen = await withUser(db, userId(index + 1), async (trx) => {
              if ((index + round) % 5 === 0) await sql`set session role authenticated`.execute(trx);
              if ((index + round) % 6 === 0) await sql`select 1 / 0`.execute(trx);
              return trx.selectFrom('conversations').select('user_id').execute();
            }).catch((error: unknown) => (error as { code: string }).code);
            const isOwn =
              typeof seen === 'string'
                ? seen === '22012'
                : seen.length === 2 && seen.every(({ user_id: owner }) => owner === userId(index + 1));
            if (!isOwn) faults.push(`user ${index + 1}: ${JSON.stringify(seen)}`);
            const between = await state();
            if (between !== `${service.role} UTC`) faults.push(`between: ${between}`);
            const unscoped = await db
              .selectFrom('conversations')
              .select('id')
              .execute()
              .then(
                () => 'rows',
                (error: unknown) => (error as { code: string }).code,
              );
            if (unscoped !== '42501') faults.push(`unscoped: ${unscoped}`);
          }
        }),
      );
      expect(faults).toEqual([]);
      // It would pass the schema on to the session of the moment, or to none.
      const inSchema = createDatabase<Tables>({ url: pooler.url, schema: 'public', poolSize: 1 });
      await expect(inSchema.selectFrom('conversations').select('id').execute()).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: 'the connection goes through a pooler, which does not keep the schema',
        hint: expect.stringContaining('alter role NAME set search_path'),
      });
      await Promise.all([db.destroy(), inSchema.destroy()]);
      await pooler.stop();
    },
  );
});
