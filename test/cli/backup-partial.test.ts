import { readFileSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';

import { useBackupFixture } from '../support/backup-fixture.js';
import { databaseAddress } from '../support/database-address.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { runInProcess } from '../support/run-in-process.js';
import { withoutVersionWarning } from '../support/take-backup.js';
import type { CliResult } from '../support/run-cli.js';

describeOnServer('a partial backup', () => {
  const { database, backup, newDirectory, local, names } = useBackupFixture();
  let directory = '';
  let [full, schemaOnly, withoutMessages] = ['', '', ''];
  const run = (args: readonly string[]): Promise<CliResult> =>
    runInProcess(args, { env: { DATABASE_URL: database().url } });
  const manifestOf = (file: string) => JSON.parse(readFileSync(`${file}.json`, 'utf8'));
  beforeAll(async () => {
    directory = await newDirectory();
    const take = async (...args: readonly string[]): Promise<string> => {
      const made = await backup(directory, ['--json', ...args]);
      expect(made).toMatchObject({ exitCode: 0 });
      expect(withoutVersionWarning(made.stderr)).not.toContain('warning');
      expect(JSON.parse(made.stdout)).toMatchObject({ isPartial: args.length > 0 });
      return String(JSON.parse(made.stdout).file);
    };
    full = await take();
    schemaOnly = await take('--schema-only');
    withoutMessages = await take('--exclude-table-data', 'messages_*', '--exclude-table-data', 'api_usage');
  });

  test('says in its manifest which rows it lacks, and is listed as partial', async () => {
    expect(manifestOf(full)).not.toHaveProperty('leftOut');
    expect(manifestOf(schemaOnly).leftOut).toMatchObject({ isSchemaOnly: true, patterns: [] });
    const { leftOut, rows } = manifestOf(withoutMessages);
    expect(leftOut).toMatchObject({ isSchemaOnly: false, patterns: ['messages_*', 'api_usage'] });
    const left = leftOut.tables.map(({ table }: { table: string }) => table);
    expect(left).toContain('api_usage');
    expect(left.every((table: string) => /^(messages_|api_usage$)/.test(table))).toBe(true);
    const ofMessages = rows.filter(({ table }: { table: string }) => table.startsWith('messages_'));
    expect(new Set(ofMessages.map((each: { rows: number }) => each.rows))).toEqual(new Set([0]));
    expect(rows).toContainEqual({ schema: 'public', table: 'users', rows: 1 });
    const list = await local(['list', '--dir', directory, '--json']);
    expect(
      JSON.parse(list.stdout).backups.map((each: { file: string; isPartial: boolean }) => [each.file, each.isPartial]),
    ).toEqual([
      [withoutMessages, true],
      [schemaOnly, true],
      [full, false],
    ]);
  });

  test('never counts as one of the database: for retention, check, --latest, verify or a drill', async () => {
    const prune = await local(['prune', '--dir', directory, '--keep', '0d', '--keep-last', '1', '--dry-run', '--json']);
    const { removed, kept } = JSON.parse(prune.stdout);
    expect(kept.map(({ file }: { file: string }) => file)).toEqual([full]);
    expect(removed.map(({ file }: { file: string }) => file)).toEqual([schemaOnly, withoutMessages]);
    const check = await local(['check', '--dir', directory, '--json']);
    expect(JSON.parse(check.stdout).newest).toMatchObject([{ file: full }]);
    const latest = await run(['restore', '--latest', '--dir', directory, '--create', 'aisec_test_latest', '--dry-run']);
    expect(latest.stderr).toContain(`${full}, `);
    const verified = await run(['backup', 'verify', '--dir', directory, '--json']);
    expect(JSON.parse(verified.stdout).results).toMatchObject([{ file: full, lacks: null }]);
    const drill = await run(['backup', 'drill', schemaOnly, '--dir', directory]);
    expectError(drill, 2, `${schemaOnly} is a partial backup, and a drill needs a full one`);
    expect(names(directory)).not.toContain('drills.ndjson');
  });

  test('alone in a directory it is as if there were none', async () => {
    const alone = await newDirectory();
    expect(await backup(alone, ['--schema-only'])).toMatchObject({ exitCode: 0 });
    const check = await local(['check', '--dir', alone]);
    expect(check).toMatchObject({ exitCode: 3 });
    expect(check.stdout).toContain(`there is no verified backup of "${database().name}"`);
    expectError(await run(['backup', 'verify', '--dir', alone]), 2, 'there is no complete backup in');
  });

  test('is restored as it is, and verify and restore say what it lacks', async () => {
    const name = `${database().name}_partial`;
    for (const file of [schemaOnly, withoutMessages]) {
      const deep = await run(['backup', 'verify', file, '--deep']);
      expect(deep).toMatchObject({ exitCode: 0 });
      expect(deep.stderr).toContain('is a partial backup: it lacks the rows of');
      const made = await run(['restore', file, '--create', name]);
      try {
        expect(made).toMatchObject({ exitCode: 0 });
        expect(made.stderr).toContain('the backup is partial: it lacks the rows of');
        const client = new pg.Client({ connectionString: databaseAddress(database().url, name) });
        await client.connect();
        const { rows } = await client.query(
          'select (select count(*)::int from users) as users, (select count(*)::int from messages) as messages',
        );
        await client.end();
        expect(rows).toEqual([{ users: file === schemaOnly ? 0 : 1, messages: 0 }]);
      } finally {
        await database().admin.query(`drop database if exists "${name}"`);
      }
    }
    const plan = await run(['restore', withoutMessages, '--replace', '--dry-run', '--terminate']);
    expect(plan.stdout).toContain('- the backup is partial: go without the rows of public.api_usage, public.messages_');
  });

  test('a pattern that no table has leaves nothing out, with a warning; rows that others refer to are warned of', async () => {
    const other = await newDirectory();
    const none = await backup(other, ['--exclude-table-data', 'mesages*', '--json']);
    expect(none.stderr).toContain('no table matches mesages*, so nothing was left out of the backup');
    expect(JSON.parse(none.stdout)).toMatchObject({ isPartial: false });
    const referred = await backup(other, ['--exclude-table-data', 'users']);
    expect(referred.stderr).toContain('restoring all of it may stop at a foreign key: conversations.');
  });

  test('both together and an empty pattern are refused', async () => {
    const other = path.join(await newDirectory(), 'none');
    expectError(
      await backup(other, ['--schema-only', '--exclude-table-data', 'x']),
      2,
      '--schema-only and --exclude-table-data cannot be used together',
    );
    expectError(await backup(other, ['--exclude-table-data', '']), 2, '--exclude-table-data is empty');
    expect(names(other)).toBeUndefined();
  });
});
