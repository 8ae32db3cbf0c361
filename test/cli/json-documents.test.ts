import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { beforeAll, expect, test } from 'vitest';

import { COMMANDS } from '../../src/cli/commands.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { runInProcess } from '../support/run-in-process.js';

const schemas = path.join(import.meta.dirname, '..', '..', 'docs', 'json');

test('every command has the JSON Schema of its document', () => {
  const fileOf = (name: string): string => path.join(schemas, `${name.replaceAll(' ', '-')}.schema.json`);
  expect(COMMANDS.map(({ name }) => name).filter((name) => !existsSync(fileOf(name)))).toEqual([]);
});

const ASKED: readonly (readonly string[])[] = [
  ['migrate', 'up'],
  ['migrate', 'up', '--dry-run'],
  ['migrate', 'up', '--sql'],
  ['migrate', 'down', '--dry-run'],
  ['migrate', 'redo', '--dry-run'],
  ['migrate', 'status'],
  ['migrate', 'check'],
  ['migrate', 'verify'],
  ['migrate', 'new', 'add_notes', '--migrations-dir', './db'],
  ['migrate', 'diagram'],
  ['migrate', 'drift'],
  ['seed', '--dry-run'],
  ['seed', 'list'],
  ['partitions', 'ensure', '--dry-run'],
  ['partitions', 'list'],
  ['partitions', 'check', '--keys'],
  ['partitions', 'rebuild-keys', '--dry-run'],
  ['archive', '--dry-run'],
  ['archive', 'list'],
  ['archive', 'prune', '--older-than', '3y', '--dry-run'],
  ['backup', 'list'],
  ['backup', 'check', '--database', 'app'],
  ['backup', 'prune', '--dry-run'],
  ['types', 'generate', '--source', 'database'],
  ['types', 'generate', '--source', 'database', '--out', 'types.ts', '--dry-run'],
  ['monitor'],
  ['monitor', 'tables'],
  ['monitor', 'partitions'],
  ['monitor', 'indexes', '--bloat'],
  ['monitor', 'activity', '--all'],
  ['monitor', 'locks'],
  ['monitor', 'queries'],
  ['monitor', 'vacuum', '--bloat'],
  ['monitor', 'growth', '--size-limit', '1GB'],
  ['monitor', 'growth', '--tables'],
  ['monitor', 'record', '--dry-run'],
  ['monitor', 'report', '--out', 'report.html', '--dry-run'],
  ['monitor', 'export', '--prometheus', 'x.prom', '--dry-run'],
  ['vector', 'status'],
  ['vector', 'check'],
  ['vector', 'rebuild', '--dry-run'],
  ['doctor'],
];

/** `runInProcess` holds each document to its schema; so does every other test that runs a command with --json. */
describeOnServer('a document of --json', () => {
  let database: ServerDatabase;
  let cwd = '';
  beforeAll(async () => {
    cwd = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(
      `insert into users (username, email, password_hash) values ('u', 'u@x', 'h');
       create index idx_twice on users (username);
       drop table if exists messages_default`,
    );
  });

  test.each(ASKED.map((args) => [args.join(' '), args] as const))(
    'of aisec %s is what docs/json says',
    async (_, args) => {
      const run = await runInProcess([...args, '--json'], {
        env: { DATABASE_URL: database.url, AISEC_ADMIN_PASSWORD: 'quiet-lamp-river-7' },
        cwd,
      });
      expect([0, 3], run.stderr).toContain(run.exitCode);
      expect(JSON.parse(run.stdout)).toMatchObject({ formatVersion: 1 });
    },
  );
});
