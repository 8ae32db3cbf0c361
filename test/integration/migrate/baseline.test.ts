import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

interface Baseline {
  readonly isMatching: boolean;
  readonly recorded: readonly string[];
  readonly findings: readonly { readonly id: string; readonly fix: string | null }[];
}

describeOnServer('migrate baseline', () => {
  let database: ServerDatabase;

  /** A database that has the schema and has lost the history. */
  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query('drop table pgmigrations, aisec_migrations');
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(args, { env: { DATABASE_URL: database.url } });
  const hasHistory = async (): Promise<boolean> => {
    const { rows } = await database.admin.query("select to_regclass('pgmigrations') is not null as found");
    return (rows[0] as { found: boolean }).found;
  };

  test('records every migration in a database that has what they make, so that up has nothing to do', async () => {
    const run = await aisec('migrate', 'baseline', '--json');
    expect(run.exitCode).toBe(0);
    const { isMatching, recorded } = JSON.parse(run.stdout) as Baseline;
    expect([isMatching, recorded.length > 20]).toEqual([true, true]);
    expect((await aisec('migrate', 'check')).exitCode).toBe(0);
    expect((await aisec('migrate', 'verify')).exitCode).toBe(0);
    expect((await aisec('migrate', 'up')).stderr).toContain('nothing to do');
    expect((await aisec('migrate', 'baseline')).stderr).toContain('nothing to do');
  });

  test('a schema without a table is told to migrate, and every object is not listed as missing', async () => {
    const run = await runInProcess(['migrate', 'baseline', '--schema', 'empty'], {
      env: { DATABASE_URL: database.url },
    });
    expect(run).toMatchObject({ exitCode: 3, stdout: '' });
    expect(run.stderr).toContain('the schema "empty" of database');
    expect(run.stderr).toContain('has no tables');
    expect(run.stderr).toContain('Run: aisec migrate up --schema empty,');
  });

  test('a dry run compares and records nothing', async () => {
    expect((await aisec('migrate', 'baseline', '--dry-run')).stderr).toContain(
      'dry run, 23 migrations would be recorded',
    );
    expect(await hasHistory()).toBe(false);
  });

  test('in a database that differs nothing is recorded, each difference comes with its fix, and after the fixes it is', async () => {
    await database.admin.query(`
      alter table users alter column is_active drop default;
      drop policy user_files_policy on files`);
    const run = await aisec('migrate', 'baseline', '--json');
    expect(run.exitCode).toBe(3);
    const { isMatching, recorded, findings } = JSON.parse(run.stdout) as Baseline;
    expect({ isMatching, recorded }).toEqual({ isMatching: false, recorded: [] });
    expect(findings.map(({ id }) => id)).toEqual([
      'column-changed:users.is_active',
      'policy-missing:user_files_policy on files',
    ]);
    expect(await hasHistory()).toBe(false);
    for (const { fix } of findings) await database.admin.query(fix ?? '');
    expect((await aisec('migrate', 'baseline')).exitCode).toBe(0);
  });

  test('records up to a name, and up applies the rest', async () => {
    await database.admin.query(
      'drop index idx_knowledge_base_terms; drop table size_records, size_record_tables, erasures',
    );
    await database.admin.query(
      `drop function find_knowledge, aisec_match_own_knowledge, aisec_match_knowledge, aisec_question_terms,
         aisec_text_terms`,
    );
    expect((await aisec('migrate', 'baseline')).exitCode).toBe(3);
    expect((await aisec('migrate', 'baseline', '0020_cache_notifications')).exitCode).toBe(0);
    const up = await aisec('migrate', 'up', '--json');
    expect(JSON.parse(up.stdout)).toMatchObject({ applied: [{ name: '0021_size_records' }, {}, {}] });
    expect((await aisec('migrate', 'drift')).exitCode).toBe(0);
  });

  test('a history that is there and objects of others stand in no way; an unknown name is wrong usage', async () => {
    await database.admin.query('create table alembic_version (version_num text)');
    expect((await aisec('migrate', 'baseline', '0099_none')).exitCode).toBe(2);
    expect((await aisec('migrate', 'baseline')).exitCode).toBe(0);
  });

  test('up on such a database names baseline and adopt, and changes nothing', async () => {
    const run = await aisec('migrate', 'up');
    expect(run.exitCode).toBe(3);
    expect(run.stderr).toContain('aisec migrate baseline --dry-run');
    expect(await hasHistory()).toBe(false);
  });
});
