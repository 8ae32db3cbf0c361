import { readFileSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { CONVERSATIONS, fillMonth, fingerprint, monthAgo } from './chat.js';

const RUNBOOK = readFileSync(path.join(import.meta.dirname, '../../../docs/runbook.md'), 'utf8');
const OLD = monthAgo(9);

/** The lines for crontab of the section, as arguments of aisec. */
function crontabLines(section: string): readonly (readonly string[])[] {
  const text = RUNBOOK.split(`### ${section}\n`)[1]?.split('\n### ')[0] ?? '';
  return [...text.matchAll(/^\S+ \S+ \* \* \*\s+aisec (.+)$/gmu)].map(([, args = '']) => args.split(' '));
}

function jobOfPgCron(name: string): string {
  return new RegExp(`cron\\.schedule\\('${name}', '[^']+', \\$\\$(.+?)\\$\\$\\)`, 'su').exec(RUNBOOK)?.[1] ?? '';
}

describeOnServer('the crontab of the runbook, as the least role of the runbook and with an empty environment', () => {
  const clients: pg.Client[] = [];
  let database: ServerDatabase;
  let roles: readonly string[] = [];
  let url = '';

  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(CONVERSATIONS);
    const [owner, months] = [`${database.name}_owner`, `${database.name}_months`];
    roles = [months, owner];
    // As if app_owner had run migrate up: every table, view and function is its own.
    await database.admin.query(`
      create role ${owner} nologin;
      create role ${months} login;
      grant ${owner} to ${months};
      alter schema public owner to ${owner};
      do $$
      declare
        one record;
      begin
        for one in
          select format('alter table %s owner to ${owner}', c.oid::regclass) as command
          from pg_class c
          where c.relnamespace = 'public'::regnamespace
            and c.relkind in ('r', 'p', 'v', 'm')
          union all
          select format('alter function %s owner to ${owner}', p.oid::regprocedure)
          from pg_proc p
          where p.pronamespace = 'public'::regnamespace
            and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
        loop
          execute one.command;
        end loop;
      end
      $$`);
    url = Object.assign(new URL(database.url), { username: months }).toString();
    await fillMonth(database, OLD, 50);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
    await database.admin.query(`drop owned by ${roles.join(', ')} cascade; drop role ${roles.join(', ')}`);
  });
  async function connect(name: string, address: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: address, application_name: name });
    await client.connect();
    clients.push(client);
    return client;
  }
  const night = async (): Promise<readonly CliResult[]> => {
    const runs: CliResult[] = [];
    for (const args of crontabLines('Roles and crontab'))
      runs.push(await runInProcess(args, { env: { DATABASE_URL: url } }));
    return runs;
  };

  test('a night with work and one without are silent and end with 0, and the work is done', async () => {
    await database.admin.query(
      `insert into messages (conversation_id, role, created_at) select id, 'user', '${monthAgo(2)}-03' from conversations`,
    );
    const before = await fingerprint(database);
    for (let nights = 0; nights < 2; nights += 1) {
      const runs = await night();
      expect(runs.length).toBe(2);
      for (const run of runs) expect(run).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    }
    const { rows } = await database.admin.query(
      `select count(*)::int as archived, (select count(*)::int from only messages_default) as waiting from messages_archive`,
    );
    expect(rows).toEqual([{ archived: 50, waiting: 0 }]);
    expect(await fingerprint(database)).toEqual(before);
  });

  test('a bad night says on stderr who is in the way, ends with 5, and the next night completes', async () => {
    const report = await connect('a report', database.url);
    await report.query('begin; select count(*) from messages');
    const args = crontabLines('Roles and crontab')[1]?.map((arg) => (arg === '10m' ? '300ms' : arg)) ?? [];
    const run = await runInProcess(args, { env: { DATABASE_URL: url } });
    expect(run).toMatchObject({ exitCode: 5, stdout: '' });
    expect(run.stderr).toContain('a report');
    await report.query('commit');
    for (const next of await night()) expect(next).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test.each(['read committed', 'repeatable read'])(
    'the jobs of pg_cron do the same with %s as default isolation of the database',
    async (isolation) => {
      await database.admin.query(`alter database ${database.name} set default_transaction_isolation to '${isolation}'`);
      const before = await fingerprint(database);
      const job = await connect('pg_cron', url);
      for (const name of ['months', 'archive']) {
        const sql = jobOfPgCron(name);
        expect(sql).toContain('select');
        await job.query(sql);
      }
      expect((await database.admin.query('select count(*)::int as n from messages_archive')).rows).toEqual([{ n: 50 }]);
      expect(await fingerprint(database)).toEqual(before);
    },
  );
});
