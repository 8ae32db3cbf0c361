import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { chance, rounds } from '../support/chance.js';
import { createServerDatabase, describeOnServer } from '../support/database.js';
import { migration, migrationsFolder } from '../support/migrations-folder.js';
import { startCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';

const KILLS = rounds(5, 25);

/** Each file adds rows to a ledger of its own number, so that a migration run twice or half would show in the counts. */
const LEDGER = migration('create table ledger (file int, row int);', 'drop table ledger;');
const addRows = (file: number): string =>
  migration(
    `insert into ledger select ${file}, g from generate_series(1, 100) as g;\nselect pg_sleep(0.02);\ninsert into ledger select ${file}, g from generate_series(101, 200) as g;`,
  );
const index = (file: number): string =>
  migration(
    `create index concurrently ledger_${file} on ledger (row);\ncreate index concurrently ledger_${file}_b on ledger (file, row);`,
    `drop index concurrently ledger_${file};\ndrop index concurrently ledger_${file}_b;`,
    '-- aisec: no-transaction',
  );

describeOnServer('kill -9 at any moment of migrate up', () => {
  test(`${KILLS} times at random, then once more to the end, leaves every migration applied exactly once`, async () => {
    const database = await createServerDatabase();
    const files: Record<string, string> = { '0001_ledger.sql': LEDGER };
    const folder = migrationsFolder(files);
    const { dir } = folder;
    /** More to do for each run, however far the one before has come. */
    const addFiles = (): void => {
      const count = Object.keys(files).length;
      for (let file = count + 1; file <= count + 12; file += 1)
        files[`${String(file).padStart(4, '0')}_step.sql`] = file % 4 === 0 ? index(file) : addRows(file);
      folder.write(files);
    };
    const env = { DATABASE_URL: database.url };
    const args = ['migrate', 'up', '--wait', '120s', '--migrations-dir', `aisec=${dir}`];
    const sessions = async (): Promise<number> =>
      (
        await database.admin.query(
          `select from pg_stat_activity where application_name like 'aisec%' and datname = current_database()`,
        )
      ).rowCount ?? 0;
    let [killedAtWork, missed] = [0, 0];
    const random = chance();
    for (let kill = 0; kill < KILLS || killedAtWork <= KILLS / 4; kill += 1) {
      addFiles();
      const running = startCli(args, { env });
      // Every fifth kill hits the start of the program or the connecting, the others the work.
      if (kill % 5 > 0) await waitFor(async () => (await sessions()) > 0 || running.child.exitCode !== null);
      // Sooner after each that came too late, whatever the speed of the machine.
      await sleep((random() * 250) / 2 ** missed);
      if ((await sessions()) > 0 && running.child.exitCode === null) killedAtWork += 1;
      else if (kill % 5 > 0) missed += 1;
      running.child.kill('SIGKILL');
      await running.finished;
    }
    const last = await runInProcess(args, { env });
    expect(last.stderr).not.toContain('error');
    expect(last.exitCode).toBe(0);

    const { rows } = await database.admin.query(
      'select file, count(*)::int as rows, count(distinct row)::int as distinct_rows from ledger group by file order by file',
    );
    const wanted = Object.keys(files).filter((_, position) => position > 0 && (position + 1) % 4 !== 0);
    expect(rows).toEqual(wanted.map((name) => ({ file: Number(name.slice(0, 4)), rows: 200, distinct_rows: 200 })));
    const { rows: recorded } = await database.admin.query(
      `select count(*)::int as rows, count(distinct name)::int as names from pgmigrations`,
    );
    const count = Object.keys(files).length;
    expect(recorded).toEqual([{ rows: count, names: count }]);
    const { rows: invalid } = await database.admin.query(
      'select indexrelid::regclass from pg_index where not indisvalid',
    );
    expect(invalid).toEqual([]);
    expect((await runInProcess(['migrate', 'check', '--migrations-dir', `aisec=${dir}`], { env })).exitCode).toBe(0);
    await waitFor(async () => (await sessions()) === 0);
  });
});
