import type { Session } from '../../src/adapters/postgres/session.js';
import { parseMigrationFile, type MigrationFile } from '../../src/features/migrate/files/migration-file.js';
import { ALL_RULES } from '../../src/features/migrate/lint/all-rules.js';
import { lintMigrations, type LintOptions, type LintResult } from '../../src/features/migrate/lint/lint.js';
import { NEXT_FILE } from '../../src/features/migrate/lint/fix.js';

const OUTSIDE = '-- aisec: no-transaction';

/** Of a session on a database in memory. */
export const LINT_SESSION = {
  applicationName: 'lint test',
  schema: 'public',
  extensionSchema: 'public',
  lockTimeoutMs: 0,
  statementTimeoutMs: 0,
  idleTimeoutMs: 0,
  signal: new AbortController().signal,
} as const;

/** One migration file, its Up section as text. */
export function lintFile(name: string, up: string, isOutside = false): MigrationFile {
  const text = `${isOutside ? `${OUTSIDE}\n` : ''}-- Up Migration\n${up}\n-- Down Migration\nselect 1;\n`;
  const { file, problems } = parseMigrationFile(`db/${name}.sql`, name, text, 'app');
  if (file === undefined) throw new Error(JSON.stringify(problems));
  return file;
}

/** The files that a fix consists of. */
export function fixFiles(fix: string): readonly MigrationFile[] {
  return fix.split(`\n${NEXT_FILE}\n`).map((part, index) => {
    const isOutside = part.startsWith(`${OUTSIDE}\n`);
    return lintFile(`000${index + 2}_fix`, isOutside ? part.slice(OUTSIDE.length + 1) : part, isOutside);
  });
}

export type LintWishes = Partial<Omit<LintOptions, 'files'>> & { readonly before?: string };

/** Looks at files on the session's database, after `before` has run there. */
export async function lintOn(
  session: Session,
  files: readonly MigrationFile[],
  { before, ...wishes }: LintWishes = {},
): Promise<LintResult> {
  const earlier = before === undefined ? [] : [{ file: lintFile('0001_before', before), isLinted: false }];
  return lintMigrations(session, {
    schema: 'public',
    extensionSchema: 'public',
    files: [...earlier, ...files.map((file) => ({ file, isLinted: true }))],
    isOneBatch: true,
    rules: ALL_RULES.filter(({ isOptional }) => isOptional !== true),
    knownRules: new Set(ALL_RULES.map(({ id }) => id)),
    serverMajor: 17,
    live: undefined,
    now: new Date(),
    onProgress: () => undefined,
    ...wishes,
  });
}

/** Empties a database that no bundled migration was applied to. */
export async function emptySchema(session: Session): Promise<void> {
  await session.query(`
    drop schema if exists extensions cascade;
    drop schema public cascade;
    create schema public;
    do $$
    begin
      if exists (select from pg_roles where rolname = 'reporting_example') then
        drop owned by reporting_example;
        drop role reporting_example;
      end if;
    end
    $$`);
}
