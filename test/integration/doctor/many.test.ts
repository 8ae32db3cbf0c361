import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  cleanUpDatabases,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../../support/database.js';
import { directoryOfGoodBackup } from '../../support/good-backup.js';
import { runCli, type CliResult } from '../../support/run-cli.js';
import { findingsOn, paste } from '../monitor-live/doctor-on.js';

describeOnServer('two thousand equal findings, and quiet nights', () => {
  let database: ServerDatabase;
  let directory = '';

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'aisec-many-'));
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(`do $$ begin for i in 1..2000 loop
      execute format('create table %I (id int)', 'it''s "t" ' || i);
    end loop; end $$`);
  });
  afterAll(async () => {
    await cleanUpDatabases();
    await rm(directory, { recursive: true, force: true });
  });

  /** As cron runs it: an empty environment but for what the crontab sets. */
  async function cron(...args: readonly string[]): Promise<CliResult> {
    const backups = await directoryOfGoodBackup(database.name);
    return runCli(args, { cwd: directory, env: { DATABASE_URL: database.url, AISEC_BACKUP_DIR: backups } });
  }

  test('are one finding with a count and examples, whatever the names; its one fix ends them all', async () => {
    const findings = (await findingsOn(database.url, 'rls-off')).filter(({ severity }) => severity === 'warning');
    expect(findings).toMatchObject([{ id: 'rls-off:*/warning' }]);
    expect(findings[0]!.message).toMatch(/ has row-level security off; the same for .* and 1,996 more$/);
    expect(findings[0]!.fix!.length).toBeLessThan(60_000);
    const report = path.join(directory, 'report.html');
    await cron('monitor', 'report', '--out', report, '--quiet');
    expect((await stat(report)).size).toBeLessThan(300_000);
    await paste(database.url, findings[0]!.fix!);
    expect(await findingsOn(database.url, 'rls-off')).toEqual([]);
  });

  test('every line of the documents for a crontab prints nothing on a good night, with an empty environment', async () => {
    const page = await readFile(path.resolve(import.meta.dirname, '../../../docs/monitoring.md'), 'utf8');
    const lines = [...page.matchAll(/^\S+ \S+ \S+ \S+ \S+ +aisec (monitor .*--quiet)$/gm)].map(
      ([, line]) => line ?? '',
    );
    expect(lines.length).toBeGreaterThanOrEqual(3);
    for (const line of lines) {
      const args = line
        .split(' ')
        .map((word) => (word.startsWith('/') ? path.join(directory, path.basename(word)) : word));
      expect({ line, ...(await cron(...args)) }).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    }
  });

  test('a bad night prints what makes doctor fail, and nothing else', async () => {
    const good = await cron('doctor', '--only', 'security,indexes', '--fail-on', 'critical', '--quiet');
    expect(good).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    await database.admin.query('alter table users disable row level security');
    const bad = await cron('doctor', '--only', 'security,indexes', '--fail-on', 'critical', '--quiet');
    expect(bad).toMatchObject({ exitCode: 3, stderr: '' });
    const ids = bad.stdout
      .split('\n')
      .flatMap((row) => /^(?:critical|warning|notice|skipped)\t\S+\t(\S+)/.exec(row)?.[1] ?? []);
    expect(ids).toEqual(['rls-off:users']);
  });
});
