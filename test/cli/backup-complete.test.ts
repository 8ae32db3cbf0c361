import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { useBackupFixture } from '../support/backup-fixture.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { runInProcess } from '../support/run-in-process.js';

describeOnServer('all of a database', () => {
  const { newDirectory, backup, names } = useBackupFixture();

  function programOf(name: string): string {
    return execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
  }

  /** A directory for AISEC_PG_BIN with the programs of PATH, one of which runs these lines; $real is the program. */
  async function programsWith(name: string, lines: string): Promise<string> {
    const directory = await newDirectory();
    mkdirSync(directory);
    for (const each of ['pg_dump', 'pg_dumpall', 'pg_restore'].filter((other) => other !== name))
      symlinkSync(programOf(each), path.join(directory, each));
    const file = path.join(directory, name);
    writeFileSync(file, `#!/bin/sh\nreal=${programOf(name)}\n${lines}\n`);
    chmodSync(file, 0o700);
    return directory;
  }

  test('is in an archive or there is none: one that cannot be read back whole, or lacks a table, gets no name', async () => {
    const directory = await newDirectory();
    expect(await backup(directory)).toMatchObject({ exitCode: 0 });
    const before = names(directory);
    const cut = 'for each in "$@"; do case $each in --file=*) truncate --size=-200 "${each#--file=}" ;; esac; done';
    for (const [lines, message, more] of [
      [`"$real" "$@" || exit; ${cut}`, 'pg_restore failed with exit code 1', ''],
      [
        'case "$*" in *--file=*) set -- --exclude-table=public.voices "$@" ;; esac\nexec "$real" "$@"',
        'the archive lacks 1 tables',
        '"public"."voices"',
      ],
    ] as const) {
      const AISEC_PG_BIN = await programsWith('pg_dump', lines);
      const run = await backup(directory, ['--keep', '0d', '--keep-last', '1'], { env: { AISEC_PG_BIN } });
      expectError(run, 3, message, more);
      expect(names(directory)).toEqual(before);
    }
  });

  test('is no larger than a dry run expects, also where it is nearly all vectors or large objects', async () => {
    const { admin, url } = await createServerDatabase();
    await admin.query(`create extension vector;
      create table notes (embedding vector(1536));
      insert into notes select array_agg(random() * 2 - 1 + n * 0)::vector
      from generate_series(1, 2500) n, generate_series(1, 1536) group by n;
      do $$ declare o oid; begin
        for n in 1..100 loop
          o := lo_create(0);
          perform lo_put(o, 0, string_agg(uuid_send(gen_random_uuid()), '')) from generate_series(1, 1000);
        end loop;
      end $$`);
    await admin.query('vacuum notes');
    await admin.query('vacuum pg_largeobject');
    const directory = await newDirectory();
    const sized = async (...args: string[]): Promise<{ expectedBytes: number; sizeBytes: number | null }> =>
      JSON.parse((await backup(directory, ['--json', ...args], { env: { DATABASE_URL: url } })).stdout);
    const { expectedBytes } = await sized('--dry-run');
    expect((await sized()).sizeBytes).toBeLessThan(expectedBytes);
  });

  test('is compressed as what is in it compresses best, and as the program can', async () => {
    const plain = await createServerDatabase();
    const compressionOf = async (env: Record<string, string>): Promise<string> => {
      const run = await backup(await newDirectory(), ['--json'], { env });
      return JSON.parse(run.stdout).compression;
    };
    expect(await compressionOf({})).toBe('zstd:1');
    expect(await compressionOf({ DATABASE_URL: plain.url })).toBe('zstd:3');
    const AISEC_PG_BIN = await programsWith(
      'pg_dump',
      'case "$*" in *zstd*) echo "pg_dump: error: this build does not support compression with ZSTD" >&2; exit 1 ;; esac\nexec "$real" "$@"',
    );
    expect(await compressionOf({ AISEC_PG_BIN })).toBe('gzip:6');
  });

  test('comes back: large objects with their owner, extensions, sequences, and what no schema has', async () => {
    const { admin, name, url } = await createServerDatabase();
    const restored = `${name}_all`;
    await admin.query(`
      create extension pg_trgm;
      select lo_from_bytea(4711, convert_to('a large object', 'utf8'));
      create sequence tickets;
      select setval('tickets', 4242);
      create materialized view totals as select 42 as total;
      create publication everything for all tables`);
    const made = await backup(await newDirectory(), ['--json'], { env: { DATABASE_URL: url } });
    const { file } = JSON.parse(made.stdout);
    const run = await runInProcess(['restore', file, '--create', restored], { env: { DATABASE_URL: url } });
    try {
      expect(run).toMatchObject({ exitCode: 0 });
      const sql = `select convert_from(lo_get(4711), 'utf8') || (select last_value from tickets) || (select total from totals)
        || (select extname from pg_extension where extname = 'pg_trgm') || (select pubname from pg_publication)`;
      const there = execFileSync('psql', ['-X', '-A', '-t', '-d', url.replace(name, restored), '-c', sql], {
        encoding: 'utf8',
      });
      expect(there.trim()).toBe('a large object424242pg_trgmeverything');
    } finally {
      await admin.query(`drop database if exists "${restored}" with (force)`);
    }
  });

  test('is more than tables: a sequence, a partitioned table and a large object that the role may not read are named before there is a file', async () => {
    const directory = await newDirectory();
    const { admin, name, url } = await createServerDatabase();
    const role = `reads_${name}`;
    await admin.query(`
      create role ${role} login;
      create sequence tickets;
      create table days (at date) partition by range (at);
      create table days_2026 partition of days for values from ('2026-01-01') to ('2027-01-01');
      grant select on days_2026 to ${role};
      select lo_create(4711), lo_create(4712);
      grant select on large object 4712 to public`);
    const env = { DATABASE_URL: Object.assign(new URL(url), { username: role }).href };
    try {
      const refused = await backup(directory, [], { env });
      expectError(
        refused,
        1,
        `role "${role}" may not read 1 partitioned table, 1 sequence`,
        'public.days, public.tickets',
      );
      expect(refused.stderr).toContain(`hint: Let it read everything: grant pg_read_all_data to "${role}";`);
      await admin.query(`grant pg_read_all_data to ${role}`);
      const { rows } = await admin.query("select current_setting('server_version_num')::int >= 190000 as reads");
      if (rows[0].reads === false) {
        const large = await backup(directory, [], { env });
        expectError(large, 1, `role "${role}" may not read 1 large object`, 'These are 4711.');
        expect(names(directory)).toBeUndefined();
        await admin.query(/do '.*';/s.exec(large.stderr)?.[0] ?? '');
      }
      expect(await backup(directory, [], { env })).toMatchObject({ exitCode: 0 });
    } finally {
      await admin.query(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('has the roles of the server beside it, whatever limits of time the database sets', async () => {
    const { url, admin } = await createServerDatabase();
    await admin.query(`
      do $$ begin execute format('alter database %I set statement_timeout = %L', current_database(), '1ms'); end $$`);
    const run = await runInProcess(['backup', '--dir', await newDirectory()], { env: { DATABASE_URL: url } });
    expect(run).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('roles of the server') });
  });

  test('has the roles beside it though the connection of pg_dumpall breaks, or ends with exit 4 and removes nothing', async () => {
    const directory = await newDirectory();
    expect(await backup(directory)).toMatchObject({ exitCode: 0 });
    const before = names(directory) ?? [];
    const calls = path.join(await createEmbeddedDirectory(), 'calls');
    const breaks = 'echo "pg_dumpall: error: server closed the connection unexpectedly" >&2; exit 1';
    const keepOne = ['--keep', '0d', '--keep-last', '1'];
    const broken = await programsWith(
      'pg_dumpall',
      `case "$*" in *--globals-only*) ${breaks} ;; esac\nexec "$real" "$@"`,
    );
    const lost = await backup(directory, keepOne, { env: { AISEC_PG_BIN: broken } });
    expectError(
      lost,
      4,
      'the backup was made, but not the roles of the server beside it',
      'is good; no old backup was removed',
    );
    expect(names(directory)).toEqual(expect.arrayContaining([...before]));
    expect(names(directory)?.filter((name) => name.endsWith('.dump'))).toHaveLength(2);

    const once = `case "$*" in *--globals-only*) if [ ! -e '${calls}' ]; then : >'${calls}'; ${breaks}; fi ;; esac`;
    const flaky = await programsWith('pg_dumpall', `${once}\nexec "$real" "$@"`);
    const run = await backup(directory, [...keepOne, '--json'], { env: { AISEC_PG_BIN: flaky } });
    expect(run).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('roles of the server') });
    const { file } = JSON.parse(run.stdout) as { readonly file: string };
    expect(names(directory)).toContain(path.basename(file).replace(/\.dump$/, '.globals.sql'));
  });

  test('needs pg_dumpall where the passwords of roles were asked for, and is refused without it before there is a file', async () => {
    const directory = await newDirectory();
    const AISEC_PG_BIN = await programsWith('pg_dumpall', 'exec "$real" "$@"');
    rmSync(path.join(AISEC_PG_BIN, 'pg_dumpall'));
    const key = 'age105n5ejtvluz3j268updx5hdwfzhkcxxah8sk0fzcfz3puqv8dcqqfwukkl';
    const run = await backup(directory, ['--encrypt-to', key, '--role-passwords'], { env: { AISEC_PG_BIN } });
    expectError(run, 2, '--role-passwords requires pg_dumpall, which was not found');
    expect(names(directory)).toBeUndefined();
    const without = await backup(directory, ['--encrypt-to', key], { env: { AISEC_PG_BIN } });
    expect(without).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('pg_dumpall was not found') });
  });

  test('where a server lets the role read no roles is a backup with a warning', async () => {
    const refused = 'echo "pg_dumpall: error: query failed: ERROR:  permission denied for view pg_roles" >&2; exit 1';
    const env = {
      AISEC_PG_BIN: await programsWith(
        'pg_dumpall',
        `case "$*" in *--globals-only*) ${refused} ;; esac\nexec "$real" "$@"`,
      ),
    };
    const run = await backup(await newDirectory(), [], { env });
    expect(run).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('permission denied for view pg_roles') });
  });
});
