import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

import pg from 'pg';
import { describe, expect, test } from 'vitest';

import { freeBackupFile } from '../../src/features/backup/catalog/change-backups.js';
import { parseBackupFileName } from '../../src/features/backup/catalog/names.js';
import { databaseAddress } from '../support/database-address.js';
import { createServerDatabase, describeOnServer } from '../support/database.js';
import { AS_BACKED_UP, CONTENTS, namesIn, useEmbeddedBackupFixture } from '../support/embedded-backup-fixture.js';
import { expectError } from '../support/expect-error.js';
import { queryEmbedded } from '../support/migrated-embedded.js';
import { describeOnSmallDisk, withSmallDisk } from '../support/small-disk.js';

describe('aisec backup --format sql', () => {
  const { dataDir, file, newDirectory, aisec } = useEmbeddedBackupFixture(['--format', 'sql']);

  test('has the text, the roles and a manifest, and was loaded to try it', async () => {
    const name = path.basename(file(), '.sql.gz');
    expect(namesIn(path.dirname(file()))).toEqual([`${name}.globals.sql`, `${name}.sql.gz`, `${name}.sql.gz.json`]);
    for (const each of namesIn(path.dirname(file())))
      expect(statSync(path.join(path.dirname(file()), each)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(`${file()}.json`, 'utf8'))).toMatchObject({
      format: 'sql',
      roles: ['authenticated'],
      globals: { file: `${name}.globals.sql` },
      verifications: [{ level: 'read' }, { level: 'deep' }],
    });
    const text = gunzipSync(readFileSync(file())).toString('utf8');
    expect(text).not.toContain('transaction_timeout');
    expect(text).not.toMatch(/OWNER TO|PASSWORD/);
    expect(await aisec(['backup', 'verify', file(), '--deep'])).toMatchObject({ exitCode: 0 });
  });

  test('leaves the database as it was, and writable', async () => {
    expect(await queryEmbedded(dataDir(), CONTENTS)).toEqual(AS_BACKED_UP);
    const inserted = `with made as (insert into "Odd ""Name" ("Größe") values ('x') returning id) select id from made`;
    const copy = path.join(await newDirectory(), 'pgdata');
    cpSync(dataDir(), copy, { recursive: true });
    expect(await queryEmbedded(copy, inserted)).toEqual([{ id: 4 }]);
  });

  test('is restored to the embedded database with every value, and goes on from there', async () => {
    const target = path.join(await newDirectory(), 'pgdata');
    expect(await aisec(['restore', file(), '--create', target])).toMatchObject({ exitCode: 0 });
    expect(await queryEmbedded(target, CONTENTS)).toEqual(AS_BACKED_UP);
    const inserted = `with made as (insert into "Odd ""Name" ("Größe") values ('x') returning id) select id from made`;
    expect(await queryEmbedded(target, inserted)).toEqual([{ id: 4 }]);
    const status = await aisec(['migrate', 'check'], { env: { AISEC_DATA_DIR: target } });
    expect(status).toMatchObject({ exitCode: 0 });
  });

  test('a flipped byte and a missing manifest are found, and nothing is touched', async () => {
    const directory = await newDirectory();
    const damaged = path.join(directory, path.basename(file()));
    const target = path.join(directory, 'pgdata');
    const bytes = readFileSync(file());
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    writeFileSync(damaged, bytes);
    expectError(
      await aisec(['restore', damaged, '--create', target]),
      3,
      `the backup ${damaged} has no manifest`,
      'psql',
    );
    cpSync(`${file()}.json`, `${damaged}.json`);
    expectError(await aisec(['restore', damaged, '--create', target]), 3, '', 'is damaged');
    expect(existsSync(target)).toBe(false);
  });

  test('two backups of one second have two names, in every format', async () => {
    const [directory, name] = [path.dirname(file()), parseBackupFileName(path.basename(file()))];
    if (name === undefined) throw new Error('the backup has an odd name');
    const others = await Promise.all(
      (['embedded', 'sql', 'sql'] as const).map((format) => freeBackupFile(directory, { ...name, format })),
    );
    const said = [file(), ...others].map((each) => parseBackupFileName(path.basename(each)));
    expect(said.every((each) => each?.createdAt.getTime() === name.createdAt.getTime())).toBe(true);
    expect(new Set(said.map((each) => each?.id)).size).toBe(4);
  });

  test('rows are compared in whatever order they lie, as those of many sizes do in a copy', async () => {
    const copy = path.join(await newDirectory(), 'pgdata');
    cpSync(dataDir(), copy, { recursive: true });
    await queryEmbedded(
      copy,
      `create table texts as
       select n, (select string_agg(md5(n * i || ''), '') from generate_series(1, n * 37 % 58) as i) as text
       from generate_series(1, 2000) as n`,
    );
    const run = await aisec(['backup', '--format', 'sql', '--dir', await newDirectory()], {
      env: { AISEC_DATA_DIR: copy },
    });
    expect(run).toMatchObject({ exitCode: 0 });
  });

  test('what the text would not have is refused', async () => {
    const copy = path.join(await newDirectory(), 'pgdata');
    cpSync(dataDir(), copy, { recursive: true });
    const options = { env: { AISEC_DATA_DIR: copy } };
    const directory = await newDirectory();
    const back = ['backup', '--format', 'sql', '--dir', directory];
    await queryEmbedded(copy, `comment on table users is E'one\\n\\\\restrict two'`);
    expectError(await aisec(back, options), 2, 'the database cannot be written as SQL', 'begins with \\restrict');
    await queryEmbedded(copy, `select lo_from_bytea(0, 'x')`);
    expectError(await aisec(back, options), 2, 'the database cannot be written as SQL', 'large objects');
    expect(namesIn(directory)).toEqual([]);
    expectError(await aisec([...back.slice(0, 2), 'tar']), 2, '--format: invalid format "tar"');
    const server = { env: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' } };
    expectError(await aisec(back, server), 2, '--format is for the embedded database');
  });

  describeOnSmallDisk('on a disk that becomes full while it is written', () => {
    test('leaves nothing of it, and the last good backup stays, verified', async () => {
      const directory = await newDirectory();
      const [disk, grown] = [path.join(directory, 'backups'), path.join(directory, 'pgdata')];
      cpSync(dataDir(), grown, { recursive: true });
      // The same database, so that its last backup tells how much space to expect.
      copyFileSync(`${dataDir()}.id`, `${grown}.id`);
      // Nothing that could be foreseen: fifty times the last backup, and nothing in it can be compressed.
      await queryEmbedded(grown, 'create table grown as select gen_random_bytes(1024) from generate_series(1, 2000)');
      await withSmallDisk(disk, 1024 * 1024, async () => {
        const good = namesIn(path.dirname(file()));
        for (const name of good) copyFileSync(path.join(path.dirname(file()), name), path.join(disk, name));
        const args = ['--dir', disk, '--keep', '0d', '--keep-last', '1', '--quiet'];
        const run = await aisec(['backup', '--format', 'sql', ...args], { env: { AISEC_DATA_DIR: grown } });
        expectError(run, 1, `no space is left in "${disk}"`, 'nothing half-written is left');
        expect(namesIn(disk)).toEqual(good);
        expect(await aisec(['backup', 'verify', '--dir', disk])).toMatchObject({ exitCode: 0 });
      });
      expect(await queryEmbedded(grown, 'select count(*)::int as n from grown')).toEqual([{ n: 2000 }]);
    });
  });

  describeOnServer('on a server', () => {
    test('aisec restore makes a database of it', async () => {
      const { name, url } = await createServerDatabase();
      const options = { env: { DATABASE_URL: url } };
      const target = `${name}_sql`;
      expectError(await aisec(['restore', file(), '--create', name], options), 3, '', `database "${name}" exists`);
      expectError(await aisec(['restore', file(), '--table', 'users'], options), 2, '', 'restored as a whole');
      const run = await aisec(['restore', file(), '--create', target, '--globals'], options);
      expect(run.stderr).toMatch(/restored in .*: \d+ tables with \d+ rows, as the manifest has them/);
      expect(run.exitCode).toBe(0);
      const client = new pg.Client({ connectionString: databaseAddress(url, target) });
      await client.connect();
      try {
        expect((await client.query(CONTENTS)).rows).toEqual(AS_BACKED_UP);
      } finally {
        await client.end();
      }
    });

    test('psql alone restores it', async () => {
      const { url, admin } = await createServerDatabase();
      const globals = file().replace('.sql.gz', '.globals.sql');
      execFileSync('psql', ['-q', '-f', globals, url], { stdio: 'ignore' });
      execFileSync('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '--single-transaction', '-o', '/dev/null', url], {
        input: gunzipSync(readFileSync(file())),
      });
      expect((await admin.query(CONTENTS)).rows).toEqual(AS_BACKED_UP);
      expect(await aisec(['migrate', 'check'], { env: { DATABASE_URL: url } })).toMatchObject({
        exitCode: 0,
      });
    });
  });
});
