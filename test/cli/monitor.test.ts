import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';

import type { LocksReport } from '../../src/features/monitor/locks.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { onTerminal } from '../support/on-terminal.js';
import { startCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

describeOnServer('aisec monitor', () => {
  let database: ServerDatabase;
  let env: Readonly<Record<string, string>> = {};
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    env = { DATABASE_URL: database.url };
  });

  test('tables is tab-separated in a pipe, with integers, and aligned for people on a terminal', async () => {
    const piped = await runInProcess(['monitor', 'tables', '--partitions'], { env });
    expect(piped).toMatchObject({ exitCode: 0 });
    const lines = piped.stdout.trimEnd().split('\n');
    expect(lines[0]).toBe(
      'table\tpartition\trows\tdead rows\ttotal\theap\tmaps\ttoast\tindexes\tlocked by\tshare\ta month\tsince record',
    );
    expect(lines.find((line) => line.startsWith('messages\tmessages_default\t'))).toMatch(
      /^messages\tmessages_default\t0\t0\t\d+\t0\t0\t8192\t\d+\t\t\d+\.\d\t\t$/,
    );
    const { screen } = await onTerminal('aisec monitor tables', { ...env, NO_COLOR: '1' });
    expect(screen).toMatch(/^messages \(5 partitions\) +0 +0 +\d+ kB +0 bytes.* - +-$/m);
    expect(screen).toContain('Growth is not known without records.');
    expect(screen).toContain('tables, ');
  });

  test('without a verb it tells at a glance what the reports tell, and what is wrong with the months', async () => {
    const holder = new pg.Client({ connectionString: database.url, application_name: 'holder' });
    await holder.connect();
    await holder.query('begin; lock table conversations in access exclusive mode');
    try {
      const [overview, tables, partitions] = await Promise.all(
        [[], ['tables'], ['partitions']].map((verb) => runInProcess(['monitor', ...verb, '--json'], { env })),
      );
      const seen = JSON.parse(overview!.stdout);
      const { tables: all, totalBytes } = JSON.parse(tables!.stdout);
      expect(seen.tables).toMatchObject({ count: all.length, totalBytes });
      expect(seen.tables.largest).toEqual(
        all.slice(0, 5).map((table: object) => ({
          ...table,
          partitionCount: undefined,
          bytesPerMonth: undefined,
          grownBytes: undefined,
        })),
      );
      expect(seen.messages.monthsAhead).toBe(JSON.parse(partitions!.stdout).monthsAhead);
      // Another session of the server may be in an older one.
      expect(seen.longestTransaction.transactionMs).toBeGreaterThan(0);
      expect(seen.connections.idleInTransaction).toBeGreaterThanOrEqual(1);
      expect(seen.findings.filter(({ id }: { id: string }) => id.startsWith('partition-'))).toEqual([]);
      const piped = await runInProcess(['monitor'], { env });
      const rows = piped.stdout.split('\n').map((line) => line.split('\t'));
      expect(rows[0]).toEqual(['figure', 'of', 'value']);
      expect(rows).toContainEqual(['months_ahead', 'messages', '3']);
      expect(piped.stderr).toContain('Next: aisec doctor');
      const { screen } = await onTerminal('aisec monitor', { ...env, NO_COLOR: '1' });
      expect(screen).toMatch(/^months of messages +3 ahead +5 partitions, .*none missing/m);
      expect(screen).toMatch(/^longest transaction +\d.* pid \d+ of \w+/m);
    } finally {
      await holder.end();
    }
    const other = await createServerDatabase({ migrated: true });
    await other.admin.query(`do $$ declare part text; begin
      for part in select relid::text from pg_partition_tree('messages') where isleaf and relid::text like '%\\_y%' order by 1 desc limit 2
      loop execute 'drop table ' || part; end loop; end $$`);
    const few = await runInProcess(['monitor'], { env: { DATABASE_URL: other.url } });
    expect(few).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('warning: partitions for 1 months ahead'),
    });
    await other.drop();
  });

  test('every report ends with 0 in a pipe with a header, and the one that cannot be made with 3 and what to do', async () => {
    const runs = await Promise.all(
      ['indexes', 'activity --all', 'vacuum --bloat'].map((words) =>
        runInProcess(['monitor', ...words.split(' ')], { env }),
      ),
    );
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(runs.map(({ stdout }) => stdout.split('\n')[0]?.split('\t')[0])).toEqual(['index', 'pid', 'table']);
    expect(runs[0]!.stderr).toContain('Scans are counted since ');
    expect(runs[2]!.stderr).toContain('warning: skipped: bloat: ');
    const locks = await runInProcess(['monitor', 'locks', '--json'], { env });
    const { preparedTransactions, skipped } = JSON.parse(locks.stdout) as LocksReport;
    // Those of other databases of the server belong to others.
    expect([preparedTransactions.filter(({ isHere }) => isHere), skipped]).toEqual([[], []]);
    const queries = await runInProcess(['monitor', 'queries'], { env });
    expect(queries).toMatchObject({ exitCode: 3, stdout: '' });
    expect(queries.stderr).toMatch(/^warning: skipped: queries: .* To see it: .*create extension pg_stat_statements;/m);
  });

  test('--watch in a pipe writes one document a look, and ends at Ctrl-C with 130 and no word', async () => {
    const cli = startCli(['monitor', 'tables', '--watch', '500ms', '--json'], { env });
    while (cli.stdout().split('\n').length < 3) await cli.waitForOutput(/\n.*\n/);
    cli.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await cli.finished;
    expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: '' });
    const looks = stdout.trimEnd().split('\n');
    expect(looks.length).toBeGreaterThanOrEqual(2);
    for (const look of looks) expect(JSON.parse(look)).toMatchObject({ schema: 'public', skipped: [] });
  });

  test('--watch on a terminal draws over what it drew, and ends when its output is closed', async () => {
    let isTyped = false;
    const { screen, exitCode } = await onTerminal(
      'aisec monitor partitions --watch 500ms',
      { ...env, NO_COLOR: '1' },
      (shown, type) => {
        if (isTyped || shown.split('\u001B[H').length < 4) return;
        isTyped = true;
        type('\u0003');
      },
    );
    expect(exitCode).toBe(130);
    expect(screen).toContain('Ctrl-C ends');
    const cut = await onTerminal(`aisec monitor tables --watch 500ms 2>&1 | head -1`, env);
    expect(cut).toMatchObject({ exitCode: 0 });
    expect(cut.screen.trim()).toMatch(/^table\t/);
  });

  test.each([['5'], ['100ms'], ['tables']])(
    '--watch %s is refused before anything is opened, exit 2',
    async (value) => {
      const run = await runInProcess(['monitor', 'tables', '--watch', value]);
      expect(run).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr).toContain(`error: --watch: invalid `);
    },
  );
});
