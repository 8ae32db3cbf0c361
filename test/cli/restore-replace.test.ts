import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { expect, test } from 'vitest';

import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { useRestoreFixture } from '../support/restore-fixture.js';
import { waitFor } from '../support/wait-for.js';

const pasted = (name: string): string => `--confirm '${name.replace("'", `'\\''`)}'`;

describeOnServer('aisec restore --replace', () => {
  const { server, newName, urlOf, restore, startHeld, databases, queryIn, sessionsOn } = useRestoreFixture();

  test('replacing keeps the old database, and the owner, settings and grants of the live one', async () => {
    const name = newName();
    expect(await restore(['--create', name])).toMatchObject({ exitCode: 0 });
    const quoted = pg.escapeIdentifier(name);
    await queryIn(name, 'drop table "Odd ""Name"');
    await server().query(`alter database ${quoted} set search_path to 'a "b', public`);
    await server().query(`alter database ${quoted} set app.note = 'x=y, z'`);
    await server().query(`alter role authenticated in database ${quoted} set work_mem = '9MB'`);
    await server().query(`alter database ${quoted} connection limit 77`);
    await server().query(`revoke temporary on database ${quoted} from public`);
    await server().query(`grant create on database ${quoted} to authenticated with grant option`);
    await server().query(`comment on database ${quoted} is 'the live one'`);
    const properties = async (one: string): Promise<unknown> =>
      (
        await server().query(
          `select datconnlimit, shobj_description(oid, 'pg_database') as comment, pg_get_userbyid(datdba) as owner,
             (select array_agg(a::text order by a::text) from unnest(datacl) a) as acl,
             (select json_agg(json_build_array(setrole, setconfig) order by setrole) from pg_db_role_setting where setdatabase = pg_database.oid) as settings
           from pg_database where datname = $1`,
          [one],
        )
      ).rows[0];
    const wanted = await properties(name);

    const refused = await restore(['--replace'], urlOf(name));
    expectError(refused, 6, 'a confirmation is required', `--confirm ${name}`);
    const result = await restore(['--replace', '--confirm', name, '--json'], urlOf(name));
    expect(result).toMatchObject({ exitCode: 0 });
    const { before } = JSON.parse(result.stdout);
    expect(before).toMatch(/_before_\d{8}_\d{6}$/);
    expect(await properties(name)).toEqual(wanted);
    expect(await queryIn(name, 'select count(*)::int as n from "Odd ""Name"')).toEqual([{ n: 2 }]);
    expect(await queryIn(before, `select to_regclass('"Odd ""Name"') as t`)).toEqual([{ t: null }]);
    expect(await databases(`aisec_restoring_${name}`)).toEqual([]);
  });

  test('what confirms it and what drops the old one run when they are pasted, whatever the name', async () => {
    const name = `${newName()} "o'x`;
    expect(await restore(['--create', name])).toMatchObject({ exitCode: 0 });
    expectError(await restore(['--replace'], urlOf(name)), 6, 'a confirmation is required', pasted(name));
    const result = await restore(['--replace', '--confirm', name], urlOf(name));
    expect(result).toMatchObject({ exitCode: 0 });
    const [, drop = ''] = /not needed any more: (drop database .*;)$/m.exec(result.stderr) ?? [];
    await server().query(drop);
    expect(await databases(`${name}_before`)).toEqual([]);
    await server().query(`drop database ${pg.escapeIdentifier(name)}`);
  });

  test('sessions on the live database are named, and ended only with --terminate, however they come back', async () => {
    const name = newName();
    expect(await restore(['--create', name])).toMatchObject({ exitCode: 0 });
    let ends = 0;
    let isOver = false;
    const client = async (): Promise<void> => {
      while (!isOver) {
        const one = new pg.Client({ connectionString: urlOf(name), application_name: 'secretary web' });
        one.on('error', () => undefined);
        try {
          await one.connect();
          if (isOver) break;
          await one.query('select pg_sleep(900)');
        } catch {
          ends += 1;
          await sleep(5);
        } finally {
          await one.end().catch(() => undefined);
        }
      }
    };
    const clients = [client(), client(), client()];
    try {
      await waitFor(async () => (await sessionsOn(name)) >= 3);
      const refused = await restore(['--replace', '--confirm', name], urlOf(name));
      expectError(refused, 3, 'cannot restore to ', '3 sessions are connected');
      expect(refused.stderr).toContain('"secretary web" of role');
      const result = await restore(['--replace', '--confirm', name, '--terminate'], urlOf(name));
      expect(result).toMatchObject({ exitCode: 0 });
      await waitFor(() => Promise.resolve(ends >= 3));
      expect(await databases(`${name}_before_`)).toHaveLength(1);
    } finally {
      isOver = true;
      await server().query(`select pg_terminate_backend(pid) from pg_stat_activity where datname ^@ $1`, [name]);
      await Promise.all(clients);
    }
  });

  test('a session that comes while it restores stops the swap; the next run only swaps', async () => {
    const name = newName();
    expect(await restore(['--create', name])).toMatchObject({ exitCode: 0 });
    const { run, release } = await startHeld(['--replace', '--confirm', name], urlOf(name));
    const held = new pg.Client({ connectionString: urlOf(name), application_name: 'late guest' });
    held.on('error', () => undefined);
    await held.connect();
    release();
    const stopped = await run.finished;
    expectError(stopped, 5, `database "${name}" is in use`, '"late guest"');
    expect(await databases(name)).toEqual([`aisec_restoring_${name}`, name]);

    const next = await restore(['--replace', '--confirm', name, '--terminate'], urlOf(name));
    expect(next).toMatchObject({ exitCode: 0 });
    expect(next.stderr).toContain('which an earlier run has restored and checked');
    expect(await databases(`aisec_restoring_${name}`)).toEqual([]);
    await held.end().catch(() => undefined);
  });
});
