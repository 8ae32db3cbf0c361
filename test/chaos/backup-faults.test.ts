import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { readBack } from '../../src/adapters/object-store/download.js';
import { withStore, type Store } from '../../src/adapters/object-store/store.js';
import { parseStoreUrl } from '../../src/config/store-url.js';
import { readBackupDirectory } from '../../src/features/backup/catalog/directory.js';
import { manifestText, readManifest } from '../../src/features/backup/catalog/manifest.js';
import { backupFileName, globalsName } from '../../src/features/backup/catalog/names.js';
import { readBackupCopies } from '../../src/features/backup/store/remote-backups.js';
import {
  failingFiles,
  faultFor,
  KEEP,
  KEPT,
  killProgram,
  OPERATIONS,
  pick,
  STORE,
  type Fault,
} from '../support/backup-faults.js';
import { IS_LONG, printedSeed, rounds, seeded } from '../support/chance.js';
import { dropDatabase } from '../support/database-names.js';
import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { startFaultyStore, type FaultyStore } from '../support/faulty-store.js';
import { describeWithStore, startObjectStore, type ObjectStoreServer } from '../support/object-store.js';
import { startCli, type CliResult, type RunningCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { describeOnSmallDisk, fill, withSmallDisk } from '../support/small-disk.js';

/** Rounds in which the fault met the run: some come too late, or at what the run does not use. */
const STRUCK = rounds(2, 50);
const HOUR_MS = 3_600_000;
const DISK_BYTES = 48 * 1024 * 1024;
const SHELF_ROWS = 200;

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

describeWithStore('backups and faults by chance', () => {
  describeOnServer('of the store and the programs', () => {
    describeOnSmallDisk('and the disk', () => {
      let [server, store]: [pg.Client?, ObjectStoreServer?] = [];
      let proxy: FaultyStore;
      let database: ServerDatabase;
      let directory = '';

      beforeAll(async () => {
        server = new pg.Client({ connectionString: inject('databaseUrl') ?? '' });
        await server.connect();
        store = await startObjectStore('backups');
        proxy = await startFaultyStore(store.endpoint);
        database = await createServerDatabase({ migrated: true });
        directory = path.join(await createEmbeddedDirectory(), 'backups');
      });
      afterAll(async () => {
        proxy.stop();
        const scratch = await scratchDatabases();
        for (const name of scratch) await dropDatabase(server as pg.Client, name);
        await server?.end();
      });

      const env = (): Record<string, string> => ({
        ...(store as ObjectStoreServer).environment,
        AWS_ENDPOINT_URL: proxy.endpoint,
        AISEC_BACKUP_DIR: directory,
        DATABASE_URL: database.url,
      });
      const aisec = (args: readonly string[]): Promise<CliResult> => runInProcess(args, { env: env() });
      const inStore = <Result>(use: (store: Store) => Promise<Result>): Promise<Result> => {
        const { endpoint, environment } = store as ObjectStoreServer;
        const place = parseStoreUrl('s3://backups/app', endpoint);
        return withStore(place, { environment, signal: new AbortController().signal }, use);
      };
      const scratchDatabases = async (): Promise<readonly string[]> => {
        const { rows } = await (server as pg.Client).query<{ datname: string }>(
          `select datname from pg_database where datname <> $1 and strpos(datname, $1) > 0`,
          [database.name],
        );
        return rows.map(({ datname }) => datname);
      };
      const makeShelf = async (): Promise<void> => {
        await database.admin.query('drop table if exists shelf');
        await database.admin.query('create table shelf (id int primary key, title text not null)');
        await database.admin.query(`insert into shelf select n, md5(n::text) from generate_series(1, ${SHELF_ROWS}) n`);
        await database.admin.query('create index shelf_title on shelf (title)');
        await database.admin.query('alter table shelf enable row level security');
      };

      /** The names of backups that are whole, the newest first; every one must be, and none called damaged. */
      const goodHere = async (): Promise<readonly string[]> => {
        const { backups, incomplete } = await readBackupDirectory(directory);
        expect(incomplete).toEqual([]);
        for (const { file, manifest } of backups) {
          expect(manifest.damage, file).toBeNull();
          expect(sha256(file), file).toBe(manifest.sha256);
          if (manifest.globals !== null) expect(sha256(globalsName(file))).toBe(manifest.globals.sha256);
        }
        return backups.map(({ manifest }) => manifest.file);
      };
      const goodCopies = (): Promise<readonly string[]> =>
        inStore(async (place) => {
          const { backups } = await readBackupCopies(place);
          for (const { manifest } of backups) {
            expect(manifest.damage, manifest.file).toBeNull();
            await readBack(place, manifest.file, manifest);
            if (manifest.globals !== null) await readBack(place, manifest.globals.file, manifest.globals);
          }
          return backups.map(({ manifest }) => manifest.file);
        });
      /** What is gone must have had to go: as many as are kept are newer. */
      const expectKept = (before: readonly string[], after: readonly string[]): void => {
        for (const gone of before.filter((name) => !after.includes(name)))
          expect(after.filter((name) => name > gone).length, gone).toBeGreaterThanOrEqual(KEPT);
      };

      /** Older backups for retention to delete, here and in the store. */
      const addOld = async (newest: string): Promise<void> => {
        const file = path.join(directory, newest);
        const manifest = await readManifest(file);
        for (const hours of [48, 72]) {
          const createdAt = new Date(Date.parse(manifest.createdAt) - hours * HOUR_MS);
          const name = backupFileName({ database: database.name, createdAt, format: 'custom', isEncrypted: false });
          const old = path.join(directory, name);
          const globals = manifest.globals && { ...manifest.globals, file: path.basename(globalsName(old)) };
          if (globals !== null) copyFileSync(globalsName(file), globalsName(old));
          copyFileSync(file, old);
          const text = manifestText({
            ...manifest,
            file: name,
            createdAt: createdAt.toISOString(),
            globals,
            offsite: [],
          });
          writeFileSync(`${old}.json`, text);
        }
        expect(await aisec(['backup', 'upload', '--all', '--store', 's3://backups/app'])).toMatchObject({
          exitCode: 0,
        });
      };

      const endSessions = async (): Promise<boolean> => {
        const { rows } = await (server as pg.Client).query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where application_name like 'aisec%' and strpos(datname, $1) > 0`,
          [database.name],
        );
        return rows.length > 0;
      };
      /** Returns once it has struck, or the run has ended; whether it struck. */
      const strike = async ({ fault }: Fault, run: RunningCli): Promise<boolean> => {
        if (fault === 'program killed') return killProgram(run);
        if (fault === 'sessions ended') return endSessions();
        const isInTime = run.isRunning();
        if (fault === 'aisec killed') run.child.kill('SIGKILL');
        if (fault === 'aisec terminated') run.child.kill('SIGTERM');
        if (fault === 'full') fill(directory);
        return isInTime;
      };

      const random = seeded(printedSeed('backups and faults by chance'));
      const durations = new Map<string, number>();

      const round = async (): Promise<{ readonly line: string; readonly hasStruck: boolean }> => {
        await makeShelf();
        const [newest = ''] = await goodHere();
        await addOld(newest);
        const [before, copiesBefore] = [await goodHere(), await goodCopies()];
        const operation = pick(OPERATIONS, random);
        const fault = faultFor(operation, random);
        if (operation.name === 'restore a table') await database.admin.query('drop table shelf');
        const mark = path.join(path.dirname(directory), 'struck');
        rmSync(mark, { force: true });
        const eio = failingFiles(directory, mark, random);
        const hitsBefore = proxy.hits();
        let isStruck = false;
        if (fault.of === 'store') proxy.fail(fault.fault, random);
        const run = startCli(operation.args(path.join(directory, newest)), {
          env: { ...env(), ...(fault.fault === 'EIO' && eio) },
        });
        if (fault.of !== 'store' && fault.fault !== 'EIO') {
          await Promise.race([sleep(random() * (durations.get(operation.name) ?? 2000)), run.finished]);
          isStruck = await strike(fault, run);
        }
        const ended = await run.finished;
        proxy.heal();
        rmSync(path.join(directory, 'filler'), { force: true });
        if (ended.exitCode === 0) durations.set(operation.name, ended.durationMs);

        const what = `${operation.name}, ${fault.fault}: ${ended.exitCode ?? ended.signal}\n${ended.stdout}${ended.stderr}`;
        if (fault.fault === 'aisec killed' || fault.fault === 'aisec terminated')
          // Before it listens to the signal it ends as any program.
          expect([null, 'SIGKILL', 'SIGTERM'], what).toContain(ended.signal);
        else expect(ended.signal, what).toBeNull();
        expect(ended.stdout + ended.stderr, what).not.toMatch(/fault in aisec|INTERNAL|damaged|\n {4}at /);
        if (ended.exitCode !== 0 && ended.exitCode !== null) {
          expect([1, 2, 3, 4, 5, 143], what).toContain(ended.exitCode);
          if (ended.exitCode !== 143) expect(ended.stderr + ended.stdout, what).toMatch(/^error: .|not tried|failed/m);
        }
        try {
          const [after, copiesAfter] = [await goodHere(), await goodCopies()];
          expectKept(before, after);
          expectKept(copiesBefore, copiesAfter);
          if (
            operation.name.startsWith('backup') &&
            (ended.exitCode === 0 || ended.stderr.includes('the backup was made'))
          )
            expect(before, what).not.toContain(after[0]);
          if (operation.name === 'backup to a store' && ended.exitCode === 0) expect(copiesAfter[0]).toBe(after[0]);
          if (operation.name === 'upload' && ended.exitCode === 0)
            expect(copiesAfter).toEqual(expect.arrayContaining([...after]));
          const { rows } = await database.admin.query(
            `select to_regclass('shelf') is not null as there,
               (select count(*)::int from pg_indexes where tablename = 'shelf') as indexes`,
          );
          const isRestored = operation.name !== 'restore a table' || ended.exitCode === 0;
          if (isRestored || rows[0].there === true) {
            expect(rows).toEqual([{ there: true, indexes: 2 }]);
            const counted = await database.admin.query('select count(*)::int as n from shelf');
            expect(counted.rows).toEqual([{ n: SHELF_ROWS }]);
          }
        } catch (error) {
          console.log(what);
          throw error;
        }
        return {
          line: `${operation.name} | ${fault.of}: ${fault.fault} | ${ended.exitCode ?? ended.signal} | ${/^error: .*/m.exec(ended.stderr)?.[0] ?? ''}`,
          hasStruck: isStruck || proxy.hits() > hitsBefore || existsSync(mark),
        };
      };

      test(
        'leave each time a good backup or a clear error, and no good one is deleted or called damaged',
        { timeout: rounds(900_000, 1_800_000) },
        async () => {
          await withSmallDisk(directory, DISK_BYTES, async () => {
            await makeShelf();
            expect(await aisec(['backup', '--store', 's3://backups/app'])).toMatchObject({ exitCode: 0 });
            const log: string[] = [];
            for (let struck = 0; struck < STRUCK;) {
              const { line, hasStruck } = await round();
              if (hasStruck) struck += 1;
              log.push(`${hasStruck ? struck : 'missed'}: ${line}`);
              if (IS_LONG) console.log(log.at(-1));
            }
            // Whatever was stopped, the next runs go on and leave nothing behind.
            await makeShelf();
            const last = await aisec(['backup', ...STORE, ...KEEP]);
            expect(last, `${log.join('\n')}\n${last.stderr}`).toMatchObject({ exitCode: 0 });
            // As the hint of a copy that failed has it: the file may be there without its manifest.
            expect(await aisec(['backup', 'upload', '--all', ...STORE])).toMatchObject({ exitCode: 0 });
            expect(await aisec(['backup', 'verify', '--deep'])).toMatchObject({ exitCode: 0 });
            expect(await aisec(['backup', 'drill'])).toMatchObject({ exitCode: 0 });
            expect(await scratchDatabases()).toEqual([]);
            expect((await readBackupDirectory(directory)).partials).toEqual([]);
            expect(await aisec(['backup', 'check'])).toMatchObject({ exitCode: 0, stdout: '' });
            expect(await aisec(['backup', 'check', '--store', 's3://backups/app'])).toMatchObject({
              exitCode: 0,
              stdout: '',
            });
          });
        },
      );
    });
  });
});
