import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { withCredentials } from '../../../src/adapters/pgtools/credentials.js';
import { findTool, type ToolPlaces } from '../../../src/adapters/pgtools/find-tools.js';
import { dumpDatabase, supportsCompression } from '../../../src/adapters/pgtools/pg-dump.js';
import { unpackArchive } from '../../../src/adapters/pgtools/pg-restore.js';
import type { ServerTarget } from '../../../src/config/database-target.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { waitFor } from '../../support/wait-for.js';

const places: ToolPlaces = { pgBinDir: undefined, environment: { PATH: process.env['PATH'] } };
const wish = { major: 17, of: 'the server' };
const surroundings = { environment: places.environment, signal: new AbortController().signal };

describeOnServer('pg_dump and pg_restore as aisec runs them', () => {
  let database: ServerDatabase;
  let directory = '';
  let target: ServerTarget;
  beforeEach(async () => {
    database = await createServerDatabase();
    directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
    const { hostname: host, port, username: user } = new URL(database.url);
    const connection = { host, port, user, database: database.name, password: 'not-to-be-seen' };
    target = { kind: 'server', source: 'the test', connection };
    await database.admin.query('create table notes as select g as id from generate_series(1, 1000) g');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const leftovers = (): readonly string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(`aisec-pg-${process.pid}-`));
  async function dump(signal = surroundings.signal, lockWaitTimeoutMs = 0): Promise<string> {
    const file = path.join(directory, 'x.partial');
    writeFileSync(file, '', { mode: 0o600 });
    const { tool } = await findTool('pg_dump', wish, places);
    await withCredentials(target, { applicationName: 'aisec test dump' }, (credentials) =>
      dumpDatabase({
        ...surroundings,
        signal,
        tool,
        credentials,
        file,
        compression: 'gzip:6',
        lockWaitTimeoutMs,
        waitForServerMs: 0,
      }),
    );
    return file;
  }

  test('write an archive that only the owner can read, and read it whole', async () => {
    const file = await dump();
    const { tool } = await findTool('pg_restore', wish, places);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const lines: string[] = [];
    await unpackArchive({ ...surroundings, tool, file, onLine: (line) => lines.push(line) });
    expect(lines).toContain('pg_restore: processing data for table "public.notes"');
    truncateSync(file, statSync(file).size - 20);
    await expect(unpackArchive({ ...surroundings, tool, file })).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
    expect(leftovers()).toEqual([]);
  });

  test('show no password in the process list or the environment while they run, and leave no file', async () => {
    await database.admin.query('begin; lock table notes');
    const controller = new AbortController();
    const running = dump(controller.signal).catch((error: unknown) => error);
    await waitFor(async () => {
      // Not pg_stat_activity, which shows one transaction the same sessions again and again.
      const { rows } = await database.admin.query(
        'select from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())',
      );
      return rows.length > 0;
    });
    const processes = execFileSync('ps', ['axeww', '-o', 'pid,args'], { encoding: 'utf8' });
    expect(processes).toContain('--dbname=service=aisec');
    expect(processes).not.toContain('not-to-be-seen');
    const [name = ''] = leftovers();
    expect(statSync(path.join(tmpdir(), name)).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(path.join(tmpdir(), name)))
      expect(statSync(path.join(tmpdir(), name, file)).mode & 0o777).toBe(0o600);
    controller.abort('SIGTERM');
    expect(await running).toMatchObject({ code: 'TERMINATED' });
    await database.admin.query('rollback');
    expect(leftovers()).toEqual([]);
  });

  test('give up waiting for a lock, and say so', async () => {
    await database.admin.query('begin; lock table notes');
    await expect(dump(surroundings.signal, 300)).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    await database.admin.query('rollback');
  });

  test('are refused when all are older than the server, naming every one', async () => {
    await expect(findTool('pg_dump', { major: 99, of: 'the server' }, places)).rejects.toMatchObject({
      code: 'PG_TOOL_MISSING',
      message: 'the server has version 99, and every pg_dump that was found is older',
      detail: expect.stringMatching(/pg_dump is \d+\.\d/),
    });
    await expect(findTool('pg_dump', wish, { ...places, pgBinDir: directory })).rejects.toMatchObject({
      code: 'PG_TOOL_MISSING',
      message: `pg_dump was not found in ${directory} (AISEC_PG_BIN)`,
    });
  });

  test('a newer one is taken with a warning where there is none of the same version', async () => {
    const { tool, warning } = await findTool('pg_dump', { major: 16, of: 'the server' }, places);
    expect(tool.major).toBeGreaterThanOrEqual(16);
    expect(warning === undefined).toBe(tool.major === 16);
  });

  test('tell which compressions they were built with', async () => {
    const { tool } = await findTool('pg_dump', wish, places);
    expect(await supportsCompression(tool, 'gzip:6', places.environment)).toBe(true);
    expect(await supportsCompression(tool, 'nonsense:1', places.environment)).toBe(false);
  });
});
