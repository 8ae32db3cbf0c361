import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { expect, test } from 'vitest';

import { useBackupFixture } from '../support/backup-fixture.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../support/database.js';
import { createMigratedEmbedded } from '../support/migrated-embedded.js';
import { expectError } from '../support/expect-error.js';
import { startCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { withoutVersionWarning } from '../support/take-backup.js';
import { waitFor } from '../support/wait-for.js';

const ROWS = `
  create extension vector;
  create table "two
lines" as select n from generate_series(1, 1000) n;
  create table 日本語 ("a ""b"" c" text);
  insert into 日本語 values ('猫'), (null);
  create table empty (id int primary key);
  create table days (at date not null) partition by range (at);
  create table days_2026 partition of days for values from ('2026-01-01') to ('2027-01-01');
  insert into days select '2026-01-01'::date + n from generate_series(0, 99) n;
  create table points (id int generated always as identity primary key, at vector(3));
  insert into points (at) select array[n, 0, 1]::vector from generate_series(1, 100) n;
  create materialized view totals as select count(*) as days from days;
  create sequence tickets; select setval('tickets', 4242);
  select lo_from_bytea(4711, 'a large object'), lo_create(4712);`;

describeOnServer('aisec backup --jobs', () => {
  const { database, newDirectory, backup, names, holdDump, untilHeld, start } = useBackupFixture();
  const json = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const run = await backup(await newDirectory(), ['--json', ...args], { env });
    expect(run, run.stderr).toMatchObject({ exitCode: 0 });
    return { ...JSON.parse(run.stdout), stderr: withoutVersionWarning(run.stderr) };
  };

  test('makes one archive like that of one session: read back, restored in parallel, by table, and verified', async () => {
    const { admin, name, url } = await createServerDatabase();
    await admin.query(ROWS);
    const env = { DATABASE_URL: url };
    const made = await json(['--jobs', '3', '--mode', '0640'], env);
    const alone = await json([], env);
    expect(made).toMatchObject({ jobs: 3, compression: 'zstd:1', rows: 1202, isPartial: false });
    expect(alone).toMatchObject({ jobs: 1, rows: 1202 });
    expect(names(path.dirname(made.file))).toHaveLength(3);
    expect(statSync(made.file).mode & 0o777).toBe(0o640);
    const list = (file: string): string =>
      execFileSync('pg_restore', ['--list', file], { encoding: 'utf8' }).replace(/^; Archive created at .*$/m, '');
    expect(list(made.file)).toBe(list(alone.file));

    const restored = `${name}_restored`;
    const aisec = (...args: readonly string[]) => runInProcess(args, { env });
    try {
      expect(await aisec('restore', made.file, '--create', restored, '--jobs', '2')).toMatchObject({ exitCode: 0 });
      const sql = `select (select count(*) from "two\nlines") || ' ' || (select "a ""b"" c" from 日本語 limit 1)
        || ' ' || (select days from totals) || ' ' || (select last_value from tickets) || ' ' || (select at from points where id = 100)
        || ' ' || convert_from(lo_get(4711), 'utf8') || length(lo_get(4712))`;
      const there = new pg.Client({ connectionString: url.replace(name, restored) });
      await there.connect();
      const { rows } = await there.query({ text: sql, rowMode: 'array' });
      await there.end();
      expect(rows[0]).toEqual(['1000 猫 100 4242 [100,0,1] a large object0']);
    } finally {
      await admin.query(`drop database if exists "${restored}" with (force)`);
    }
    await admin.query('delete from points where id > 5');
    expect(await aisec('restore', made.file, '--table', 'points', '--as', 'points_before')).toMatchObject({
      exitCode: 0,
    });
    expect((await admin.query('select count(*)::int as n from points_before')).rows).toEqual([{ n: 100 }]);
    const verify = await aisec('backup', 'verify', made.file, '--deep', '--jobs', '2', '--json');
    expect(JSON.parse(verify.stdout).results).toMatchObject([{ verdict: 'good' }]);
  });

  test('leaves rows out, is encrypted, and is planned, as with one session', async () => {
    const partial = await json(['--jobs', '2', '--exclude-table-data', 'messages*']);
    expect(partial).toMatchObject({ jobs: 2, isPartial: true });
    expect(await json(['--jobs', '2', '--schema-only'])).toMatchObject({ jobs: 2, isPartial: true, rows: 0 });

    const directory = await createEmbeddedDirectory();
    const key = path.join(directory, 'key.txt');
    execFileSync('age-keygen', ['-o', key], { stdio: 'ignore' });
    const recipient = execFileSync('age-keygen', ['-y', key], { encoding: 'utf8' }).trim();
    const sealed = await json(['--jobs', '2', '--encrypt-to', recipient]);
    expect(sealed.file).toMatch(/\.dump\.age$/);
    expect(names(path.dirname(sealed.file))).toHaveLength(3);
    const plain = execFileSync('age', ['--decrypt', '-i', key, sealed.file], { maxBuffer: 64 * 1024 * 1024 });
    expect(plain.toString('latin1', 0, 5)).toBe('PGDMP');

    const planned = await backup(await newDirectory(), ['--jobs', '2', '--dry-run']);
    expect(planned).toMatchObject({ exitCode: 0, stdout: '' });
    expect(planned.stderr).toContain('would be backed up by 2 jobs into');
  });

  test('is refused with a number that means nothing, and for the embedded database', async () => {
    for (const jobs of ['0', '-1', '1.5', 'two'])
      expectError(await backup(await newDirectory(), [`--jobs=${jobs}`]), 2, `--jobs: invalid value "${jobs}"`);
    const env = { AISEC_DATA_DIR: await createMigratedEmbedded() };
    const embedded = await runInProcess(['backup', '--jobs', '2'], { env });
    expectError(embedded, 2, '--jobs above 1 is for a server, and none is configured', 'Leave it out');
  });

  /** A directory for AISEC_PG_BIN with the programs of PATH, pg_dump being this script; $real is the program. */
  async function withPgDump(lines: string): Promise<Readonly<Record<string, string>>> {
    const directory = await newDirectory();
    mkdirSync(directory);
    const placeOf = (name: string): string =>
      execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    for (const each of ['pg_dumpall', 'pg_restore']) symlinkSync(placeOf(each), path.join(directory, each));
    const file = path.join(directory, 'pg_dump');
    writeFileSync(file, `#!/bin/sh\nreal=${placeOf('pg_dump')}\n${lines}\n`);
    chmodSync(file, 0o700);
    return { AISEC_PG_BIN: directory };
  }
  const without = (...compressions: readonly string[]): string =>
    `case "$*" in ${compressions.map((each) => `*--compress=${each}*`).join('|')}) echo "pg_dump: error: this build does not support compression" >&2; exit 1 ;; esac\nexec "$real" "$@"`;

  test('compresses by lz4 where pg_dump has no zstd, and is one job with a warning where it has neither', async () => {
    const made = await json(['--jobs', '2'], await withPgDump(without('zstd')));
    expect(made).toMatchObject({ jobs: 2, compression: 'lz4' });
    expect(execFileSync('pg_restore', ['--list', made.file], { encoding: 'utf8' })).toContain('Compression: lz4');
    const neither = await json(['--jobs', '2'], await withPgDump(without('zstd', 'lz4')));
    expect(neither).toMatchObject({ jobs: 1, compression: 'gzip:6' });
    expect(neither.stderr).toContain('warning: --jobs 2 is not used, one session dumps all tables: ');
    expect(neither.stderr).toContain('was built without zstd and lz4');
  });

  test('is one job with a warning where pg_dump writes archives of a version that is not known, which is seen as soon as the data begin', async () => {
    const parts =
      'parts=; for each in "$@"; do case $each in --file=*.parts.partial) parts=${each#--file=} ;; esac; done\n[ -n "$parts" ] || exec "$real" "$@"\n';
    const after = `"$real" "$@" || exit\nprintf '\\021' | dd of="$parts/toc.dat" bs=1 seek=6 conv=notrunc 2>/dev/null`;
    const begun = `printf 'PGDMP\\001\\021\\000\\004\\010\\003\\003' >"$parts/toc.dat"
      echo 'pg_dump: dumping contents of table "public.voices"' >&2\nexec sleep 3600`;
    for (const lines of [after, begun]) {
      const made = await json(['--jobs', '2'], await withPgDump(parts + lines));
      expect(made).toMatchObject({ jobs: 1 });
      expect(made.stderr).toMatch(
        /warning: --jobs 2 is not used, one session dumps all tables: pg_dump \S+: It is an archive of version 1\.17, expected 1\.15 or 1\.16\./,
      );
      expect(names(path.dirname(made.file))).toHaveLength(3);
    }
  });

  test('is one job with a warning where other sessions ask for such locks again and again', async () => {
    const refused = `case "$*" in *--jobs=*) echo 'pg_dump: error: could not obtain lock on relation "public.voices"' >&2; exit 1 ;; esac\nexec "$real" "$@"`;
    const made = await json(['--jobs', '2'], await withPgDump(refused));
    expect(made).toMatchObject({ jobs: 1 });
    expect(made.stderr).toContain('Other sessions asked for locks that shut readers out in 2 attempts.');
  });

  test('needs as many connections more, and says which limit is reached', async () => {
    const { admin, name, url } = database();
    const role = `jobs_${name}`;
    // Our own session, the one that looks who blocks, the first of pg_dump, and one of two jobs.
    await admin.query(`create role ${role} login bypassrls connection limit 4; grant pg_read_all_data to ${role}`);
    try {
      const directory = await newDirectory();
      const env = { DATABASE_URL: Object.assign(new URL(url), { username: role }).href };
      const refused = await backup(directory, ['--jobs', '2'], { env });
      expectError(refused, 4, 'no connection is left for pg_dump', 'too many connections for role');
      expect(names(directory)).toEqual([]);
      await admin.query(`alter role ${role} connection limit 5`);
      expect(await backup(directory, ['--jobs', '2'], { env })).toMatchObject({ exitCode: 0 });
    } finally {
      await admin.query(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('an ALTER that comes before a job has its lock gets through, and the dump begins again', async () => {
    const directory = await newDirectory();
    const { admin, url } = database();
    const release = await holdDump();
    const run = startCli(['backup', '--dir', directory, '--jobs', '2', '--json'], { env: { DATABASE_URL: url } });
    await untilHeld();
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    const altered = other.query('alter table voices add column between_locks int');
    await waitFor(async () => {
      const { rows } = await admin.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'alter table voices%'`,
      );
      return rows.length === 1;
    });
    await release();
    await altered;
    await other.end();
    const ended = await run.finished;
    expect(ended, ended.stderr).toMatchObject({ exitCode: 0 });
    const { file } = JSON.parse(ended.stdout);
    expect(names(directory)).toHaveLength(3);
    const definition = execFileSync('pg_restore', ['--schema-only', '--table=voices', '--file=-', file], {
      encoding: 'utf8',
    });
    expect(definition).toContain('between_locks');
    await admin.query('alter table voices drop column between_locks');
  });

  test('SIGTERM, and a pg_dump or a session of it that is killed, leave nothing, neither here nor on the server', async () => {
    const directory = await newDirectory();
    const { admin } = database();
    const sessions =
      "from pg_stat_activity where application_name = 'aisec backup: pg_dump' and datname = current_database()";
    for (const [kill, exitCode, message] of [
      [(run: { readonly pid?: number | undefined }) => process.kill(run.pid ?? 0, 'SIGTERM'), 143, ''],
      [
        () => execFileSync('pkill', ['-9', '-o', '-f', `^.*pg_dump .*${directory}/`]),
        1,
        'pg_dump was ended by SIGKILL',
      ],
      [() => admin.query(`select pg_terminate_backend(pid) ${sessions}`), 4, 'pg_dump failed with exit code 1'],
    ] as const) {
      const release = await holdDump();
      const run = start(directory, ['--jobs', '2']);
      await untilHeld();
      expect(names(directory)?.join(' ')).toMatch(/\.dump\.partial \S+\.dump\.parts\.partial$/);
      expect(statSync(path.join(directory, names(directory)?.at(-1) ?? '')).mode & 0o777).toBe(0o700);
      await kill(run.child);
      const ended = await run.finished;
      await release();
      expect(ended.stderr).toContain(message);
      expect(ended).toMatchObject({ exitCode, stdout: '' });
      expect(names(directory)).toEqual([]);
      await waitFor(async () => (await admin.query(`select ${sessions}`)).rows.length === 0);
    }
  });

  test('a second run is told who is at work', async () => {
    const directory = await newDirectory();
    const release = await holdDump();
    const first = start(directory, ['--jobs', '2']);
    await untilHeld();
    expectError(await backup(directory, ['--jobs', '2']), 5, 'another run is at work', '"aisec backup" of role');
    await release();
    expect(await first.finished).toMatchObject({ exitCode: 0 });
    expect(names(directory)).toHaveLength(3);
    expect(readFileSync(path.join(directory, names(directory)?.[1] ?? ''), 'utf8')).toContain('"aisec backup"');
  });
});
