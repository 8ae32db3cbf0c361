import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { expect, test } from 'vitest';

import { backupFileName } from '../../src/features/backup/catalog/names.js';
import type { LockHolder } from '../../src/adapters/files/directory-lock.js';
import { currentProcess } from '../../src/adapters/files/process-identity.js';
import { chance, rounds } from '../support/chance.js';
import { useBackupFixture } from '../support/backup-fixture.js';
import { databaseAddress } from '../support/database-address.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { holdProgram } from '../support/held-program.js';
import { startCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { withoutVersionWarning } from '../support/take-backup.js';
import { waitFor } from '../support/wait-for.js';

describeOnServer('aisec backup', () => {
  const { database, newDirectory, backup, start, names, holdDump, untilHeld } = useBackupFixture();

  test('makes an archive, its manifest and the roles, which only the owner can read', async () => {
    const directory = await newDirectory();
    const role = `${database().name}_login`;
    await database().admin.query(`create role ${role} login password 'of nobody else'`);
    const run = await backup(directory, ['--json', '--quiet']);
    await database().admin.query(`drop role ${role}`);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(withoutVersionWarning(run.stderr)).toBe('');
    const { file, sha256, rows, tables, removed } = JSON.parse(run.stdout);
    expect(path.basename(file)).toMatch(new RegExp(`^${database().name}_\\d{8}_\\d{6}-[0-9a-f]{6}\\.dump$`));
    const name = path.basename(file, '.dump');
    expect(names(directory)).toEqual([`${name}.dump`, `${name}.dump.json`, `${name}.globals.sql`]);
    for (const each of names(directory) ?? [])
      expect(statSync(path.join(directory, each)).mode & 0o777, each).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);

    const manifest = JSON.parse(readFileSync(`${file}.json`, 'utf8'));
    expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(sha256);
    expect(manifest).toMatchObject({ sha256, compression: 'zstd:1', database: database().name, isPinned: false });
    expect(manifest.migration).toMatch(/^\d{4}_/);
    expect(manifest.roles).toContain('authenticated');
    const messages = manifest.rows.filter((row: { table: string }) => row.table.startsWith('messages_y'));
    expect(messages.map((row: { rows: number }) => row.rows)).toContain(300);
    expect(manifest.rows).toHaveLength(tables);
    expect(rows).toBe(manifest.rows.reduce((sum: number, row: { rows: number }) => sum + row.rows, 0));
    expect(removed).toEqual([]);
    const globals = readFileSync(path.join(directory, `${name}.globals.sql`), 'utf8');
    expect(globals).toContain('CREATE ROLE authenticated');
    expect(globals).toContain(`CREATE ROLE ${role};`);
    expect(globals).not.toMatch(/PASSWORD/);
    const list = execFileSync('pg_restore', ['--list', file], { encoding: 'utf8' });
    expect(list).toContain('EXTENSION - vector');
  });

  test('finds the rows of tables in the archive, whatever is in their names', async () => {
    const tables = ['two\nlines', 'two\nothers', 'a "quoted" %s', 'a.b'].map(
      (name) => `"${name.replaceAll('"', '""')}"`,
    );
    for (const table of tables) await database().admin.query(`create table ${table} (id integer)`);
    const run = await backup(await newDirectory(), ['--json', '--quiet']);
    expect(run).toMatchObject({ exitCode: 0 });
    for (const table of tables) await database().admin.query(`drop table ${table}`);
  });

  test('holds every character, whatever client_encoding the database sets', async () => {
    await database().admin.query(
      `create table signs (sign text); insert into signs values ('µ ü 한 😀'); alter database ${database().name} set client_encoding = 'SJIS'`,
    );
    const directory = await newDirectory();
    const run = await backup(directory, ['--json', '--quiet']);
    await database().admin.query(`drop table signs; alter database ${database().name} reset client_encoding`);
    expect(run).toMatchObject({ exitCode: 0 });
    const { file } = JSON.parse(run.stdout);
    expect(execFileSync('pg_restore', ['--table=signs', '--file=-', file], { encoding: 'utf8' })).toContain(
      '\nµ ü 한 😀\n',
    );
  });

  test('a dry run makes no directory', async () => {
    const directory = await newDirectory();
    expect(await backup(directory, ['--dry-run'])).toMatchObject({ exitCode: 0, stdout: '' });
    expect(names(directory)).toBeUndefined();
  });

  test('what cannot work is found before there is any file', async () => {
    const directory = await newDirectory();
    const older = await backup(directory, [], { env: { AISEC_PG_BIN: '/usr/lib/postgresql/15/bin' } });
    const { rows } = await database().admin.query("select current_setting('server_version_num')::int / 10000 as major");
    const server = `the server has version ${rows[0]?.major}`;
    expectError(older, 2, `${server}, and every pg_dump that was found is older`, 'pg_dump is 15.');
    const url = databaseAddress(database().url, 'aisec_test_not_there');
    expectError(await backup(directory, [], { env: { DATABASE_URL: url } }), 4, '');
    for (const args of [
      ['--keep', '-1d'],
      ['--keep-last', '0'],
      ['--timeout', '5'],
      ['--dir', ''],
    ])
      expect(await backup(directory, args), args.join(' ')).toMatchObject({ exitCode: 2, stdout: '' });
    expectError(await backup('/proc/none/here'), 1, '"/proc/none/here" has 0 bytes left, and a backup may take');
    const file = path.join(path.dirname(directory), 'file');
    writeFileSync(file, '');
    expectError(await backup(path.join(file, 'x')), 2, `"${file}" is not a directory`);
    expect(names(directory)).toBeUndefined();
  });

  test('a role that policies apply to is refused with the statement that mends it', async () => {
    const directory = await newDirectory();
    const role = `backup_${database().name}`;
    const { admin } = database();
    await admin.query(`create role ${role} login; grant pg_read_all_data to ${role}`);
    try {
      const url = new URL(database().url);
      url.username = role;
      const env = { DATABASE_URL: url.href };
      const refused = await backup(directory, [], { env });
      expectError(refused, 1, 'row-level security hides rows of', `alter role "${role}" bypassrls;`);
      expect(names(directory)).toBeUndefined();
      await admin.query(/alter role .*;/.exec(refused.stderr)?.[0] ?? '');
      await admin.query(`revoke pg_read_all_data from ${role}`);
      const unreadable = await backup(directory, [], { env });
      expectError(unreadable, 1, `role "${role}" may not read`, `grant pg_read_all_data to "${role}";`);
      await admin.query(/grant .*;/.exec(unreadable.stderr)?.[0] ?? '');
      expect(await backup(directory, [], { env })).toMatchObject({ exitCode: 0 });
    } finally {
      await admin.query(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('a table locked against readers, and an ALTER that waits, are named when the time is over', async () => {
    const directory = await newDirectory();
    const { admin } = database();
    await admin.query('begin; lock table voices in access exclusive mode');
    try {
      const run = await backup(directory, ['--lock-timeout', '5s']);
      expectError(run, 5, 'a table was locked against readers for longer than 5.0 s', 'lock table voices');
    } finally {
      await admin.query('rollback');
    }
    expect(names(directory)).toEqual([]);
  });

  test('an ALTER that comes between our locks and those of pg_dump gets through instead of waiting for ever', async () => {
    const directory = await newDirectory();
    const { admin, url } = database();
    const dump = await holdProgram('pg_dump', '--file=');
    const run = startCli(['backup', '--dir', directory], { env: { DATABASE_URL: url, ...dump.environment } });
    await dump.reached();
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    const altered = other.query('alter table voices add column between_locks int');
    await untilHeld();
    dump.release();
    // pg_dump cannot have ended: it waits behind the ALTER.
    await altered;
    await other.end();
    expect(await run.finished).toMatchObject({ exitCode: 0 });
    await admin.query('alter table voices drop column between_locks');
  });

  test('a second backup and a migration are told who is at work, and --timeout ends a run that hangs', async () => {
    const directory = await newDirectory();
    const release = await holdDump();
    const hanging = start(directory);
    await untilHeld();
    expectError(await backup(directory), 5, 'another run is at work', '"aisec backup" of role');
    const env = { DATABASE_URL: database().url };
    expectError(await runInProcess(['migrate', 'up'], { env }), 5, 'another run is at work', '"aisec backup" of role');
    hanging.child.kill('SIGTERM');
    await hanging.finished;
    const ended = await start(directory, ['--timeout', '3s']).finished;
    expectError(ended, 1, 'not done within 3.0 s');
    await release();
    expect(names(directory)).toEqual([]);
    // As cron runs it: what is written would be mailed.
    const quiet = await backup(directory, ['--quiet']);
    expect(quiet).toMatchObject({ exitCode: 0, stdout: '' });
    expect(withoutVersionWarning(quiet.stderr)).toBe('');
  });

  test('SIGTERM leaves nothing, neither here nor on the server', async () => {
    const directory = await newDirectory();
    const release = await holdDump();
    const run = start(directory);
    await untilHeld();
    expect(names(directory)?.join()).toMatch(/\.dump\.partial$/);
    run.child.kill('SIGTERM');
    expect(await run.finished).toMatchObject({ exitCode: 143, stdout: '' });
    await release();
    expect(names(directory)).toEqual([]);
  });

  test('a pg_dump or a session of it that is killed is a failure that leaves nothing', async () => {
    const directory = await newDirectory();
    for (const [kill, exitCode, message] of [
      [() => execFileSync('pkill', ['-9', '-f', `^.*pg_dump .*${directory}/`]), 1, 'pg_dump was ended by SIGKILL'],
      [
        () =>
          database().admin.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
             where application_name = 'aisec backup: pg_dump' and datname = current_database()`,
          ),
        4,
        'pg_dump failed with exit code 1',
      ],
    ] as const) {
      const release = await holdDump();
      const run = start(directory);
      await untilHeld();
      await kill();
      const ended = await run.finished;
      await release();
      expect(ended.stderr).toContain(`error: ${message}`);
      expect(ended).toMatchObject({ exitCode, stdout: '' });
      expect(names(directory)).toEqual([]);
    }
  });

  test('killed at any moment nothing half-written has the name of a backup, and the next run tidies up', async () => {
    const directory = await newDirectory();
    const plain = await backup(directory, ['--json']);
    const { file } = JSON.parse(plain.stdout);
    const random = chance();
    for (let round = 0; round < rounds(4, 12); round += 1) {
      const run = start(directory);
      await sleep(random() * plain.durationMs);
      run.child.kill('SIGKILL');
      await run.finished;
      const dumps = (names(directory) ?? []).filter((name) => name.endsWith('.dump'));
      for (const name of dumps) {
        const manifest = JSON.parse(readFileSync(path.join(directory, `${name}.json`), 'utf8'));
        const sha256 = createHash('sha256')
          .update(readFileSync(path.join(directory, name)))
          .digest('hex');
        expect(manifest.sha256).toBe(sha256);
      }
      expect(dumps).toContain(path.basename(file));
    }
    // An orphaned session may hold the lock until the server notices.
    expect(await backup(directory, ['--wait', '1h'])).toMatchObject({ exitCode: 0 });
    const left = names(directory) ?? [];
    expect(left.filter((name) => name.endsWith('.partial'))).toEqual([]);
    expect(left.filter((name) => name.endsWith('.json')).length * 3).toBe(left.length);
    await waitFor(async () => {
      const { rows } = await database().admin.query(
        "select from pg_stat_activity where application_name = 'aisec backup: pg_dump' and datname = current_database()",
      );
      return rows.length === 0;
    });
  });

  test('symbolic links in the way are neither followed nor replaced', async () => {
    const directory = await newDirectory();
    mkdirSync(directory);
    const target = path.join(directory, 'precious.txt');
    writeFileSync(target, 'precious');
    const now = Date.now();
    for (let second = 0; second < 300; second += 1) {
      const createdAt = new Date(now + second * 1000);
      const name = backupFileName({ database: database().name, createdAt, format: 'custom', isEncrypted: false });
      symlinkSync(target, path.join(directory, second % 2 === 0 ? name : `${name}.partial`));
    }
    const run = await backup(directory, ['--json']);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(Date.parse(JSON.parse(run.stdout).createdAt)).toBeLessThan(now + 300_000);
    expect(readFileSync(target, 'utf8')).toBe('precious');
    expect(statSync(JSON.parse(run.stdout).file).isFile()).toBe(true);
  });

  test('a next run that has the directory before old ones are removed does not make a made backup look failed', async () => {
    const directory = await newDirectory();
    const release = await holdDump();
    const running = start(directory);
    await untilHeld();
    // The next run, which has the directory as soon as this one gives it back.
    const since = new Date().toISOString();
    const holder: LockHolder = { ...currentProcess(), command: 'aisec backup', since };
    const lock = path.join(directory, `.aisec-${database().name}.lock`, 'held-next.json');
    writeFileSync(lock, JSON.stringify(holder));
    await release();
    const { exitCode, stdout, stderr } = await running.finished;
    rmSync(lock);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('.dump');
    expect(stderr).toContain('the backup was made, but old ones could not be removed: directory "');
  });
});
