import { RUN_LOCK_KEY } from '../../../adapters/postgres/locks/advisory-lock.js';
import { pinnedSettings, pinQuery } from '../../../adapters/postgres/pinned-settings.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { aisecVersion } from '../../../base/package/version.js';
import { sectionOf } from '../apply/section.js';
import { hooksNamed } from '../apply/run-hooks.js';
import type { DownOptions } from '../down.js';
import { ensureCall } from '../ensure-partitions.js';
import type { MigrationFile } from '../files/migration-file.js';
import { refuseUnsafeStatements } from '../files/migration-folder.js';
import { isBundled, isRepeatable, labelOf, sourcesOf } from '../files/source.js';
import { indexOfMigration } from '../find-migration.js';
import { dropHistoryTables } from '../history/history-sql.js';
import { historyToCreate, type MigrateSettings } from '../prepare.js';
import { refuseUnmetRequirements } from '../requirements.js';
import { shadowGuard } from '../shadows.js';
import { guard } from './guard.js';
import { hookPart, migrationPart } from './migration-part.js';

export interface ScriptOptions extends MigrateSettings {
  /** The newest migration that the database has, one for each source; a source that none names has none. */
  readonly from: readonly string[];
  /** The last one to write; all when undefined. */
  readonly to: string | undefined;
  readonly lockTimeoutMs: number;
}

export interface DownScriptOptions extends Omit<ScriptOptions, 'to'> {
  /** Without `from` the database has every file. */
  readonly target: DownOptions['target'];
}

/** The texts of its lines in order, each without its line end; a text may have many lines. */
export type Script = readonly string[];

function linesOf(head: string, parts: readonly (readonly string[])[], end: string): Script {
  return [head, ...parts.flatMap((part) => [...part, '']), end];
}

/** The files that a database has whose newest ones are named. @throws AisecError MIGRATION_UNKNOWN, USAGE. */
function appliedFiles(files: readonly MigrationFile[], from: readonly string[]): readonly MigrationFile[] {
  const newest = new Map<string, number>();
  for (const name of from) {
    const index = indexOfMigration(name, files);
    const source = files[index]?.source ?? '';
    if (newest.has(source))
      throw new AisecError('USAGE', `--from names two migrations of one source, "${name}" is the second`, {
        hint: 'Give the newest one that the database has.',
      });
    newest.set(source, index);
  }
  return files.filter((file, index) => index <= (newest.get(file.source) ?? -1) && !isRepeatable(file));
}

/**
 * What a .psqlrc, a variable of libpq, the role or the database may have set otherwise. `:start_again` stands before each
 * migration, and puts the session back whatever the one before has set.
 */
function psqlSettings({ schema, extensionSchema, lockTimeoutMs }: Omit<ScriptOptions, 'to'>): string {
  const settings = pinnedSettings({ schema, extensionSchema, lockTimeoutMs, statementTimeoutMs: 0, idleTimeoutMs: 0 });
  const pin = `do $pin$ begin perform ${pinQuery(settings).replace(/^select /, '')} end $pin$;`;
  const again = `${sqlFile('session/start-again').replaceAll(/^--.*$/gm, '')} ${pin}`.replaceAll(/\s+/g, ' ').trim();
  return `\\set ON_ERROR_STOP on
\\set ON_ERROR_ROLLBACK off
\\set AUTOCOMMIT on
\\encoding UTF8
set transaction_isolation = 'read committed';
\\set start_again ${psqlQuote(again)}
:start_again`;
}

/** In the quotes of a psql variable the backslash escapes, too. */
function psqlQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

function heading(verb: string, files: readonly MigrationFile[], schema: string): string {
  const [first, last] = [files[0], files.at(-1)].map((file) => (file === undefined ? '(none)' : labelOf(file)));
  return `-- ${verb} ${first ?? ''} to ${last ?? ''} for schema ${quoteIdentifier(schema)}, written by aisec ${aisecVersion()}.
-- Run it with: psql -v ON_ERROR_STOP=1 -f FILE`;
}

/**
 * The pending migrations as a script for psql, made without a database from the very texts that `migrate up` sends. It
 * leads to the same catalog and the same history, and refuses a database that is at another version.
 *
 * @throws AisecError MIGRATION_UNKNOWN, MIGRATION_FILE_INVALID, MIGRATION_HISTORY, USAGE when `from` is not before `to`.
 */
export async function migrationScript(options: ScriptOptions): Promise<Script> {
  const { files, schema } = options;
  const before = appliedFiles(files, options.from);
  const last = options.to === undefined ? files.length - 1 : indexOfMigration(options.to, files);
  const source = files[last]?.source;
  const newest = before.findLast((file) => file.source === source);
  if (newest !== undefined && files.indexOf(newest) > last)
    throw new AisecError('USAGE', `--from ${labelOf(newest)} comes after --to ${options.to ?? ''}`, {
      hint: 'See: aisec migrate up --help',
    });
  const wanted = files.slice(0, last + 1).filter((file) => !before.includes(file));
  await refuseUnsafeStatements([...wanted, ...(options.hooks ?? [])]);
  refuseUnmetRequirements(wanted, before, files);
  const parts = hooksNamed('before_up', options).map((hook) => hookPart(hook, options));
  for (const file of wanted) parts.push(await migrationPart(file, 'up', options));
  parts.push(...hooksNamed('after_up', options).map((hook) => hookPart(hook, options)));
  const head = `${heading('Migrations', wanted, schema)}
${psqlSettings(options)}
${guard({ schema, sources: sourcesOf(files), before, isAlone: false })}
${shadowGuard(wanted, options)}
begin;
${historyToCreate(schema, wanted, new Set()) ?? ''}commit;
`;
  const end = `-- The months of messages from now on.
:start_again
do $aisec_partitions$
begin
  if to_regprocedure(${quoteLiteral(`${quoteIdentifier(schema)}.ensure_message_partitions(integer, date)`)}) is not null then
    perform from ${ensureCall(schema)};
  end if;
end
$aisec_partitions$;
select pg_advisory_unlock(${RUN_LOCK_KEY});`;
  return linesOf(head, parts, end);
}

/** Without its history, the order is that of the files, from the last to the first. */
function filesToRevert(
  applied: readonly MigrationFile[],
  target: DownScriptOptions['target'],
): readonly MigrationFile[] {
  if (target.kind === 'all') return applied.toReversed();
  const numbered = applied.filter((file) => !isRepeatable(file));
  if (target.kind === 'one') return numbered.slice(-1);
  return numbered.slice(indexOfMigration(target.name, numbered) + 1).toReversed();
}

/**
 * The script for psql that reverts migrations, made without a database from the very texts that `migrate down` sends. It
 * deletes what they delete: the rows are not counted before it.
 *
 * @throws AisecError MIGRATION_UNKNOWN, MIGRATION_FILE_INVALID, MIGRATION_IRREVERSIBLE.
 */
export async function downScript(options: DownScriptOptions): Promise<Script> {
  const { files, schema } = options;
  const named = appliedFiles(files, options.from);
  const before = options.from.length === 0 ? files : files.filter((file) => named.includes(file) || isRepeatable(file));
  const wanted = filesToRevert(before, options.target);
  for (const file of wanted) sectionOf(file, 'down');
  await refuseUnsafeStatements(wanted);
  const parts: (readonly string[])[] = [];
  for (const file of wanted) parts.push(await migrationPart(file, 'down', options));
  const left = before.filter((file) => !wanted.includes(file));
  const emptied = sourcesOf(wanted).filter((source) => !left.some((file) => file.source === source));
  const head = `${heading('Reverts', wanted, schema)}
${psqlSettings(options)}
${guard({ schema, sources: sourcesOf(files), before, isAlone: wanted.some(isBundled) })}
`;
  const end = `:start_again
${emptied.map((source) => `${dropHistoryTables(schema, source)};\n`).join('')}select pg_advisory_unlock(${RUN_LOCK_KEY});`;
  return linesOf(head, parts, end);
}
