import { pinnedSettings, pinQuery } from '../../adapters/postgres/pinned-settings.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { RUN_LOCK_KEY } from '../../adapters/postgres/locks/advisory-lock.js';
import { aisecVersion } from '../../base/version.js';
import { didYouMean } from '../../base/did-you-mean.js';
import { AisecError } from '../../base/errors.js';
import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';
import { transactionStatements, type ApplyOptions } from './apply/apply.js';
import { ensureCall } from './ensure-partitions.js';
import {
  beginJournal,
  completeJournal,
  createHistoryTables,
  journalDone,
  journalStarted,
} from './history/history-sql.js';
import { refuseUnsafeStatements } from './files/migration-folder.js';
import type { MigrationFile } from './files/migration-file.js';
import { createSchema, type MigrateSettings } from './prepare.js';

export interface ScriptOptions extends MigrateSettings {
  /** The newest migration the database has; none when undefined. */
  readonly from: string | undefined;
  /** The last one to write; all when undefined. */
  readonly to: string | undefined;
  readonly lockTimeoutMs: number;
}

function indexOf(files: readonly MigrationFile[], name: string): number {
  const index = files.findIndex((file) => file.name === name);
  if (index !== -1) return index;
  const near = didYouMean(
    name,
    files.map((file) => file.name),
  );
  throw new AisecError('MIGRATION_UNKNOWN', `there is no migration "${name}"`, {
    hint: near === undefined ? undefined : `Did you mean "${near}"?`,
  });
}

/** Refuses a database that is not exactly where the script starts, and a second run beside it. */
function guard(schema: string, before: readonly MigrationFile[]): string {
  const expected = `array[${before.map((file) => quoteLiteral(file.name)).join(', ')}]::text[]`;
  const table = (name: string): string => `${quoteIdentifier(schema)}.${name}`;
  return `do $aisec_guard$
declare
  expected constant text[] := ${expected};
  found text[] := '{}';
  is_incomplete boolean := false;
begin
  if not pg_try_advisory_lock(${RUN_LOCK_KEY}) then
    raise exception 'another run is at work on this database';
  end if;
  if to_regclass(${quoteLiteral(table('pgmigrations'))}) is not null then
    select coalesce(array_agg(name::text order by name), '{}') into found from ${table('pgmigrations')};
  end if;
  if to_regclass(${quoteLiteral(table('aisec_migrations'))}) is not null then
    select exists (select from ${table('aisec_migrations')} where state <> 'applied') into is_incomplete;
  end if;
  if found <> expected or is_incomplete then
    raise exception 'this script starts from version %, but the database is at %',
      coalesce(expected[cardinality(expected)], 'none (an empty database)'),
      coalesce(found[cardinality(found)], 'none (an empty database)')
      using detail = format('Applied: %s. Expected: %s.', array_to_string(found, ', '), array_to_string(expected, ', ')),
            hint = 'No changes were made. Write the script again with --from and the version the database is at.';
  end if;
end
$aisec_guard$;`;
}

async function migrationPart(file: MigrationFile, options: ApplyOptions): Promise<string> {
  const { runThroughEngine } = await import('../../adapters/migration-engine/engine.js');
  const { schema } = options;
  const lines: string[] = [`-- ${file.name}`, ':start_again'];
  if (file.isTransactional) {
    const run = {
      name: file.name,
      direction: 'up',
      schema,
      statements: transactionStatements(file, 'up', options),
      isTransactional: true,
    } as const;
    await runThroughEngine(run, (sql) => Promise.resolve(void lines.push(sql)));
    return lines.join('\n');
  }
  const { parseStatements } = await import('../../adapters/sql-parser/statements.js');
  const parsed = await parseStatements(file.up.sql);
  const statements = 'error' in parsed ? [file.up.sql] : parsed.statements.map((statement) => statement.text);
  lines.push(beginJournal(schema, file, 'applying', statements.length));
  const run = { name: file.name, direction: 'up', schema, statements, isTransactional: false } as const;
  let number = 0;
  await runThroughEngine(run, (sql) => {
    number += 1;
    if (number > statements.length) lines.push(`begin;\n${sql}\n${completeJournal(schema, file.name)}\ncommit;`);
    else
      lines.push(
        'set lock_timeout = 0;',
        journalStarted(schema, file.name, number),
        sql,
        journalDone(schema, file.name, number, 0),
      );
    return Promise.resolve();
  });
  return lines.join('\n');
}

/**
 * What a .psqlrc, a variable of libpq, the role or the database may have set otherwise. `:start_again` stands before each
 * migration, and puts the session back whatever the one before has set.
 */
function psqlSettings({ schema, extensionSchema, lockTimeoutMs }: ScriptOptions): string {
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

/**
 * The pending migrations as a script for psql, made without a database from the very texts that `migrate up` sends. It
 * leads to the same catalog and the same history, and refuses a database that is at another version.
 *
 * @throws AisecError MIGRATION_UNKNOWN, MIGRATION_FILE_INVALID, USAGE when `from` is not before `to`.
 */
export async function migrationScript(options: ScriptOptions): Promise<string> {
  const { files } = options;
  const from = options.from === undefined ? 0 : indexOf(files, options.from) + 1;
  const to = options.to === undefined ? files.length : indexOf(files, options.to) + 1;
  if (from > to)
    throw new AisecError('USAGE', `--from ${options.from ?? ''} comes after --to ${options.to ?? ''}`, {
      hint: 'See: aisec migrate up --help',
    });
  const wanted = files.slice(from, to);
  const [first] = wanted;
  await refuseUnsafeStatements(wanted);
  const apply: ApplyOptions = { ...options, lockAttempts: 1 };
  const parts: string[] = [];
  for (const file of wanted) parts.push(await migrationPart(file, apply));
  return `-- Migrations ${first?.name ?? '(none)'} to ${wanted.at(-1)?.name ?? '(none)'} for schema ${quoteIdentifier(options.schema)}, written by aisec ${aisecVersion()}.
-- Run it with: psql -v ON_ERROR_STOP=1 -f FILE
${psqlSettings(options)}
${guard(options.schema, files.slice(0, from))}

begin;
${createSchema(options.schema)}
${createHistoryTables(options.schema)}commit;

${parts.join('\n\n')}

-- The months of messages from now on.
:start_again
do $aisec_partitions$
begin
  if to_regprocedure(${quoteLiteral(`${quoteIdentifier(options.schema)}.ensure_message_partitions(integer, date)`)}) is not null then
    perform from ${ensureCall(options.schema)};
  end if;
end
$aisec_partitions$;
select pg_advisory_unlock(${RUN_LOCK_KEY});
`;
}
