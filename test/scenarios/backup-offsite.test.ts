import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { manifestText, type BackupManifest } from '../../src/features/backup/catalog/manifest.js';
import { planGlobals } from '../../src/features/backup/contents/globals.js';
import { openManifest } from '../../src/features/backup/contents/sealed-manifest.js';
import { backupFileName } from '../../src/features/backup/catalog/names.js';
import { listObjects, readObject, removeObject, writeObject } from '../../src/adapters/object-store/objects.js';
import { checksumOf } from '../../src/adapters/files/checksum.js';
import { withStore, type Store } from '../../src/adapters/object-store/store.js';
import { parseStoreUrl } from '../../src/config/store-url.js';
import { backupManifest } from '../fixtures/backup-manifest.js';
import { useBackupFixture } from '../support/backup-fixture.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { describeWithStore, startObjectStore, type ObjectStoreServer } from '../support/object-store.js';
import { runInProcess } from '../support/run-in-process.js';
import { runCli, type CliResult } from '../support/run-cli.js';

const DAY_MS = 86_400_000;

describeOnServer('aisec backup off site', () =>
  describeWithStore('in a store', () => {
    const { database, newDirectory, backup, names } = useBackupFixture();
    const startedMs = Date.now();
    let server: ObjectStoreServer;
    let [key, recipient, keyDirectory] = ['', '', ''];

    beforeAll(async () => {
      server = await startObjectStore('backups', 'full=2000');
      keyDirectory = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
      key = path.join(keyDirectory, 'key.txt');
      execFileSync('age-keygen', ['-o', key], { stdio: 'ignore' });
      recipient = execFileSync('age-keygen', ['-y', key], { encoding: 'utf8' }).trim();
    });
    afterAll(() => rmSync(keyDirectory, { recursive: true, force: true }));

    function inStore<Result>(directory: string, use: (store: Store) => Promise<Result>): Promise<Result> {
      const { environment, endpoint } = server;
      const { signal } = new AbortController();
      return withStore(parseStoreUrl(`s3://backups/${directory}`, endpoint), { environment, signal }, use);
    }
    /** But for the index of facts. */
    const namesIn = (directory: string): Promise<readonly string[]> =>
      inStore(directory, async (store) => {
        const all = (await listObjects(store, '')).map(({ name }) => name);
        return all.filter((name) => !name.startsWith('.aisec-facts-')).toSorted();
      });
    function copy(
      directory: string,
      to: string,
      args: readonly string[] = [],
      env = server.environment,
    ): Promise<CliResult> {
      return backup(directory, ['--store', to, '--endpoint', server.endpoint, ...args], { env });
    }

    /** Of four bytes, verified, made so many days before the tests began. */
    function manifestOf(name: string, daysOld: number, changes: Partial<BackupManifest> = {}): BackupManifest {
      const createdAt = new Date(startedMs - daysOld * DAY_MS);
      const file = backupFileName({ database: name, createdAt, format: 'custom', isEncrypted: false });
      return backupManifest({ file, database: name, createdAt: createdAt.toISOString(), ...changes });
    }
    function putLocal(directory: string, daysOld: number, changes: Partial<BackupManifest>): string {
      const manifest = manifestOf(database().name, daysOld, changes);
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      writeFileSync(path.join(directory, manifest.file), 'dump');
      writeFileSync(path.join(directory, `${manifest.file}.json`), manifestText(manifest));
      return manifest.file;
    }

    test('leaves an encrypted backup here and there, nothing plain, which age and pg_restore alone can read, and restore too', async () => {
      const directory = await newDirectory();
      const run = await copy(directory, 's3://backups/prod/db', ['--encrypt-to', recipient, '--read-back', '--json']);
      expect(run).toMatchObject({ exitCode: 0 });
      const { file, sha256, isEncrypted, copy: url } = JSON.parse(run.stdout);
      const name = path.basename(file, '.dump.age');
      expect(names(directory)).toEqual([`${name}.dump.age`, `${name}.dump.age.json`, `${name}.globals.sql.age`]);
      expect(await namesIn('prod/db')).toEqual(names(directory));
      expect({ isEncrypted, url }).toEqual({ isEncrypted: true, url: `s3://backups/prod/db/${name}.dump.age` });
      expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(sha256);
      const manifest = readFileSync(`${file}.json`, 'utf8');
      expect(JSON.parse(manifest)).toMatchObject({
        encryption: { recipients: [recipient] },
        offsite: [{ url, endpoint: server.endpoint, sha256 }],
      });
      expect(run.stdout + run.stderr + manifest).not.toMatch(/only-for-tests|AGE-SECRET-KEY/);
      // Roles, tables, policies and extensions are in the encrypted part only, and so they are in what the store has.
      const telling = /authenticated|messages|voices|policy|pgcrypto/;
      const there = await inStore('prod/db', async (store) => {
        const names = (await listObjects(store, '')).map((each) => each.name);
        return Promise.all(names.map(async (each) => (await readObject(store, each)) ?? ''));
      });
      expect(there).toHaveLength(4);
      expect(manifest + there.join('')).not.toMatch(telling);
      const { sealed, rows } = JSON.parse(manifest);
      expect({ rows, rowCount: sealed.rowCount }).toEqual({ rows: [], rowCount: JSON.parse(run.stdout).rows });
      const identities = [
        readFileSync(key, 'utf8')
          .split('\n')
          .find((line) => line.startsWith('AGE-')) ?? '',
      ];
      const whole = await openManifest(JSON.parse(manifest), identities, 'it');
      expect(JSON.stringify(whole)).toMatch(telling);
      // As older versions left them: only the backup itself encrypted.
      const older = path.join(path.dirname(directory), 'older');
      mkdirSync(older);
      copyFileSync(file, path.join(older, path.basename(file)));
      const globals = path.join(older, `${name}.globals.sql`);
      execFileSync('age', ['-d', '-i', key, '-o', globals, path.join(directory, `${name}.globals.sql.age`)]);
      const ofGlobals = { file: `${name}.globals.sql`, ...(await checksumOf(globals, new AbortController().signal)) };
      const olderManifest = { ...whole, globals: ofGlobals, offsite: [] };
      writeFileSync(path.join(older, `${name}.dump.age.json`), manifestText(olderManifest));
      for (const each of [file, path.join(older, path.basename(file))]) {
        const env = { DATABASE_URL: database().url };
        const args = ['restore', each, '--create', `${database().name}_x`, '--globals', '--identity', key, '--dry-run'];
        expect(await runInProcess(args, { env })).toMatchObject({ exitCode: 0 });
        const verified = await runInProcess(['backup', 'verify', each, '--identity', key, '--json'], { env });
        expect(verified).toMatchObject({ exitCode: 0 });
      }
      expect(readFileSync(`${file}.json`, 'utf8')).not.toMatch(telling);
      const plain = path.join(keyDirectory, 'plain.dump');
      execFileSync('age', ['-d', '-i', key, '-o', plain, file]);
      expect(execFileSync('pg_restore', ['--list', plain], { encoding: 'utf8' })).toContain('TABLE DATA');

      const target = `${database().name}_r`;
      const restore = (args: readonly string[]): Promise<CliResult> =>
        runCli(['restore', url, '--endpoint', server.endpoint, '--create', target, '--quiet', ...args], {
          env: { ...server.environment, DATABASE_URL: database().url, TMPDIR: keyDirectory },
        });
      expectError(await restore([]), 2, 'the backup ', recipient);
      const restored = await restore(['--identity', key, '--json']);
      expect(restored).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(restored.stdout)).toMatchObject({ file: url, database: target });
      const ask = (verb: string, args: readonly string[]): Promise<CliResult> =>
        runCli(['backup', verb, ...args, '--endpoint', server.endpoint, '--json', '--quiet'], {
          env: { ...server.environment, TMPDIR: keyDirectory },
        });
      expect(await ask('verify', [url, '--identity', key])).toMatchObject({ exitCode: 0 });
      await server.damage(statSync(file).size);
      expectError(await restore(['--identity', key]), 3, `${url} is damaged`);
      expect(await ask('verify', [url])).toMatchObject({ exitCode: 3 });
      const list = await ask('list', ['--store', 's3://backups/prod/db']);
      expect(JSON.parse(list.stdout).backups).toMatchObject([{ file: url, state: 'damaged', isEncrypted: true }]);
      expect(readdirSync(keyDirectory).toSorted()).toEqual(['key.txt', 'plain.dump']);
    });

    test('--role-passwords has the hashes of roles in the encrypted file only, and they come back', async () => {
      const directory = await newDirectory();
      const role = `login_${database().name}`;
      const { admin } = database();
      const hashOf = async (): Promise<string> =>
        String(
          (await admin.query('select rolpassword as hash from pg_authid where rolname = $1', [role])).rows[0]?.hash,
        );
      await admin.query(`create role ${role} login password 'only-for-tests'`);
      try {
        const hash = await hashOf();
        expect(hash).toMatch(/^SCRAM-SHA-256\$/);
        const asked = ['--role-passwords'];
        expectError(await backup(directory, asked), 2, '--role-passwords requires encryption');
        const url = new URL(database().url);
        Object.assign(url, { username: role, password: 'only-for-tests' });
        const unable = await backup(directory, [...asked, '--encrypt-to', recipient], {
          env: { DATABASE_URL: url.href },
        });
        expectError(
          unable,
          1,
          `role "${role}" may not read the passwords of roles`,
          'grant select on pg_catalog.pg_authid',
        );
        expect(names(directory)).toBeUndefined();
        const run = await backup(directory, [...asked, '--encrypt-to', recipient, '--json']);
        expect(run).toMatchObject({ exitCode: 0 });
        const globals = String(JSON.parse(run.stdout).file).replace('.dump.age', '.globals.sql.age');
        const files = (names(directory) ?? []).map((each) => readFileSync(path.join(directory, each), 'latin1'));
        expect(run.stdout + run.stderr + files.join('')).not.toContain('SCRAM');
        const text = execFileSync('age', ['-d', '-i', key, globals], { encoding: 'utf8' });
        await admin.query(`drop role ${role}`);
        const { rows } = await admin.query('select rolname from pg_roles');
        const others = new Set(rows.map(({ rolname }) => String(rolname)));
        // Roles of other tests, which are gone by now, are none of ours to bring back.
        const { statements } = await planGlobals(text, others);
        for (const statement of statements.filter((each) => each.includes(role))) await admin.query(statement);
        expect(await hashOf()).toBe(hash);
      } finally {
        await admin.query(`drop role if exists ${role}`);
      }
    });

    test('is not begun with a key that cannot be encrypted to', async () => {
      const directory = await newDirectory();
      expectError(await backup(directory, ['--encrypt-to', '']), 2, '--encrypt-to is empty');
      expectError(
        await backup(directory, ['--encrypt-to', `${recipient},age1bad`]),
        2,
        '"age1bad" cannot be encrypted to',
      );
      expectError(await backup(directory, ['--store', '']), 2, '--store is empty');
      expect(names(directory)).toBeUndefined();
    });

    test('leaves a good backup here when the store refuses the key, lacks the bucket or does not answer', async () => {
      const directory = await newDirectory();
      const dumps = (): number => (names(directory) ?? []).filter((name) => name.endsWith('.dump')).length;
      const wrong = { ...server.environment, AWS_SECRET_ACCESS_KEY: 'wrong' };
      const made = 'the backup was made, but not its copy';
      expectError(await copy(directory, 's3://backups/x', ['--quiet'], wrong), 4, made, 'refuses the key');
      expectError(await copy(directory, 's3://nothere', ['--quiet']), 4, made, 'there is no bucket');
      const away = ['--store', 's3://backups/x', '--endpoint', 'http://127.0.0.1:9', '--retry', '0', '--quiet'];
      expectError(await backup(directory, away, { env: server.environment }), 4, made, 'does not answer');
      expect(dumps()).toBe(3);
      expectError(await backup(directory, [...away, '--dry-run'], { env: server.environment }), 4, 'could not list');
      expect(dumps()).toBe(3);
    });

    test('keeps the local backup and every older one when the store has no space for the copy', async () => {
      const directory = await newDirectory();
      const old = putLocal(directory, 40, {});
      const run = await copy(directory, 's3://full', ['--keep', '0d', '--keep-last', '1', '--quiet']);
      expectError(run, 1, 'the backup was made, but not its copy', 'no old backup was removed');
      const dumps = (names(directory) ?? []).filter((name) => name.endsWith('.dump'));
      expect(dumps).toHaveLength(2);
      expect(dumps).toContain(old);
    });

    test('removes old copies of this database only, never a pinned one, the last or what is none of ours', async () => {
      const directory = await newDirectory();
      const put = async (store: Store, name: string, daysOld: number): Promise<string> => {
        const manifest = manifestOf(name, daysOld);
        await writeObject(store, manifest.file, 'dump');
        await writeObject(store, `${manifest.file}.json`, manifestText(manifest));
        return manifest.file;
      };
      const { name } = database();
      const kept = await inStore('rules', async (store) => {
        const [, young, pinned, other] = [
          await put(store, name, 40),
          await put(store, name, 20),
          await put(store, name, 50),
          await put(store, `${name}_2`, 60),
        ];
        await writeObject(store, `${name}_notes.txt`, 'mine');
        // Without a manifest it counts for nothing, and is nobody's to remove.
        const orphan = await put(store, name, 70);
        await removeObject(store, `${orphan}.json`);
        return { young, pinned, other, orphan };
      });
      // Here only; the manifest in the store does not know.
      putLocal(directory, 50, { isPinned: true });
      const dry = await copy(directory, 's3://backups/rules', ['--keep-last', '1', '--dry-run', '--json']);
      const run = await copy(directory, 's3://backups/rules', ['--keep-last', '1', '--json']);
      expect(run).toMatchObject({ exitCode: 0 });
      const result = JSON.parse(run.stdout);
      expect(result.removedCopies).toHaveLength(1);
      expect(JSON.parse(dry.stdout).removedCopies).toEqual(result.removedCopies);
      const own = path.basename(result.file, '.dump');
      expect(await namesIn('rules')).toEqual(
        [
          ...[kept.young, kept.pinned, kept.other, `${own}.dump`].flatMap((file) => [file, `${file}.json`]),
          kept.orphan,
          `${own}.globals.sql`,
          `${name}_notes.txt`,
        ].toSorted(),
      );
    });
  }),
);
