import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';

import { readMigrationFolder } from '../../../src/features/migrate/files/migration-folder.js';
import type { MigrationFile } from '../../../src/features/migrate/files/migration-file.js';
import { withReplay } from '../../../src/features/migrate/replay/replayed-database.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../../support/database.js';
import { withSession } from '../catalog/catalog-session.js';
import { LINT_SESSION, lintFile, lintOn, type LintWishes } from '../../support/lint.js';

const root = path.join(import.meta.dirname, '../../..');
const NAMES = { schema: 'public', extensionSchema: 'public' } as const;

let files: readonly MigrationFile[];

beforeAll(async () => {
  files = await readMigrationFolder(path.join(root, 'migrations'), root);
});

/** On the embedded database: test/cli/migrate-lint.test.ts. */
describeOnServer('the bundled migrations', () => {
  test('have no finding, and no statement that was not analysed', async () => {
    const result = await withSession((await createServerDatabase()).url, async (session) => lintOn(session, files));
    expect(result.findings).toEqual([]);
    expect(result.notAnalysed).toEqual([]);
    expect(result.ignored).toEqual([]);
    expect(result.statements).toBeGreaterThan(500);
  });
});

describeOnServer('after the bundled migrations', () => {
  const lint = async (sql: string, wishes: LintWishes = {}): Promise<readonly string[]> =>
    withSession((await createServerDatabase({ migrated: true })).url, async (session) => {
      const { findings } = await lintOn(session, [lintFile('0100_example', sql)], wishes);
      return findings.map(({ rule, fix }) => `${rule}: ${fix ?? ''}`);
    });

  test('an index on messages gets the recipe of ONLY, each partition CONCURRENTLY, and ATTACH', async () => {
    const found = await lint('create index idx_messages_type on messages (content_type);');
    const [recipe = ''] = found.filter((text) => text.startsWith('index-not-concurrent'));
    expect(recipe).toContain('create index idx_messages_type on only messages (content_type);');
    expect(recipe).toContain(
      'create index concurrently messages_default_idx_messages_type on messages_default (content_type);',
    );
    expect(recipe).toContain('alter index idx_messages_type attach partition messages_default_idx_messages_type;');
    expect(recipe).not.toContain('concurrently idx_messages_type on messages ');
    expect(found.some((text) => text.startsWith('archive-differs'))).toBe(true);
  });

  test('a foreign key of a partitioned table is told another way before PostgreSQL 18', async () => {
    const sql =
      'alter table messages add constraint messages_author_fkey foreign key (parent_id) references message_keys (id) on delete set null;';
    const on17 = await lint(sql, { serverMajor: 17 });
    const on18 = await lint(sql, { serverMajor: 18 });
    expect(on17.find((text) => text.startsWith('foreign-key'))).toContain(
      'alter table messages_default add constraint messages_author_fkey',
    );
    expect(on18.find((text) => text.startsWith('foreign-key'))).toContain(
      'alter table messages add constraint messages_author_fkey foreign key (parent_id) references message_keys (id) on delete set null not valid;',
    );
  });

  test('a new table is silent, whatever is done to it', async () => {
    const found = await lint(`
      create table notes (id uuid primary key, text text);
      alter table notes enable row level security;
      create index idx_notes_text on notes (text);
      alter table notes alter column text set not null, add constraint notes_text_check check (text <> '');
      comment on table notes is 'Notes.';
      comment on column notes.id is 'Identifier.';
      comment on column notes.text is 'Text.';`);
    expect(found).toEqual([]);
  });
});

describe('a replay of the bundled migrations', () => {
  test('starts the second time from the archive of the first', async () => {
    const own = await createEmbeddedDirectory();
    const replay = async (): Promise<void> =>
      withReplay({ files, ...NAMES }, { session: LINT_SESSION, cacheDir: own }, async (session) => {
        const { rows } = await session.query<{ count: number }>('select count(*)::int as count from pgmigrations');
        expect(rows[0]?.count).toBe(files.length);
      });
    /** A replay that applied the files has written its archive again. */
    const archives = (): readonly string[] =>
      readdirSync(own).map(
        (name) => `${name} ${statSync(path.join(own, name)).ino} ${statSync(path.join(own, name)).mtimeMs}`,
      );
    await replay();
    const first = archives();
    expect(first).toHaveLength(1);
    await replay();
    expect(archives()).toEqual(first);
  });
});
