import { RUN_LOCK_KEY } from '../../../adapters/postgres/locks/advisory-lock.js';
import { aisecCommand } from '../../../base/package/aisec-command.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { BUNDLED_SOURCE, isRepeatable, type SourcedName } from '../files/source.js';
import { historyTables } from '../history/history-sql.js';

export interface Start {
  readonly schema: string;
  readonly sources: readonly string[];
  /** What the database has when the script begins. */
  readonly before: readonly SourcedName[];
  /** Whether no other source may have a history, since what it needs may be reverted. */
  readonly isAlone: boolean;
}

function sourceRow({ schema, before }: Start, source: string): string {
  const names = before
    .filter((migration) => migration.source === source && !isRepeatable(migration))
    .map(({ name }) => quoteLiteral(name));
  const tables = historyTables(source);
  const [engine, own] = [tables.engine, tables.own].map((name) => quoteLiteral(`${quoteIdentifier(schema)}.${name}`));
  const prefix = source === BUNDLED_SOURCE ? '' : `${source}/`;
  return `(${quoteLiteral(prefix)}, ${engine ?? ''}, ${own ?? ''}, array[${names.join(', ')}]::text[])`;
}

function aloneCheck({ schema, sources }: Start): string {
  const known = sources.map((source) => quoteLiteral(historyTables(source).own));
  return `
  select c.relname
  into other
  from pg_class c
  where c.relnamespace = pg_catalog.to_regnamespace(${quoteLiteral(quoteIdentifier(schema))})
    and c.relkind = 'r'
    and c.relname like 'aisec\\_migrations\\_%'
    and exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')
    and c.relname <> all (array[${known.join(', ')}])
  limit 1;
  if other is not null then
    raise exception 'the database has migrations of another source, recorded in %', other
      using detail = 'They may need what this script reverts.',
            hint = 'No changes were made. Write the script again with --migrations-dir NAME=DIR for that source, too.';
  end if;`;
}

/** Refuses a database that is not exactly where the script starts, and a second run beside it. */
export function guard(start: Start): string {
  return `do $aisec_guard$
declare
  source record;
  other name;
  found text[];
  recorded text[];
  is_incomplete boolean;
begin
  if not pg_try_advisory_lock(${RUN_LOCK_KEY}) then
    raise exception 'another run is at work on this database';
  end if;${start.isAlone ? aloneCheck(start) : ''}
  for source in
    select *
    from (values
      ${start.sources.map((source) => sourceRow(start, source)).join(',\n      ')}
    ) as sources (prefix, engine_table, own_table, expected)
  loop
    found := '{}';
    recorded := '{}';
    is_incomplete := false;
    if pg_catalog.to_regclass(source.engine_table) is not null then
      execute pg_catalog.format('select coalesce(pg_catalog.array_agg(distinct name::text collate "C" order by name::text collate "C"), ''{}'') from %s', source.engine_table)
      into found;
    end if;
    if pg_catalog.to_regclass(source.own_table) is not null then
      execute pg_catalog.format('select exists (select from %s where state <> ''applied'')', source.own_table)
      into is_incomplete;
      execute pg_catalog.format(
        'select coalesce(pg_catalog.array_agg(name order by name collate "C"), ''{}'') from %s where state = ''applied'' and name not like ''R\\_\\_%%''',
        source.own_table
      )
      into recorded;
    end if;
    if found <> recorded and not is_incomplete then
      raise exception 'the two tables of the history disagree: % and %', source.engine_table, source.own_table
        using detail = pg_catalog.format('The first has: %s. The second has: %s.', pg_catalog.array_to_string(found, ', '), pg_catalog.array_to_string(recorded, ', ')),
              hint = ${quoteLiteral(`No changes were made. Restore what is lost: ${aisecCommand('migrate repair', start.schema)}`)};
    end if;
    if found <> source.expected or is_incomplete then
      raise exception 'this script starts from version %, but the database is at %',
        coalesce(source.prefix || source.expected[cardinality(source.expected)], source.prefix || 'none (an empty database)'),
        coalesce(source.prefix || found[cardinality(found)], source.prefix || 'none (an empty database)')
        using detail = pg_catalog.format(
                'Applied: %s. Expected: %s.', pg_catalog.array_to_string(found, ', '), pg_catalog.array_to_string(source.expected, ', ')
              ),
              hint = 'No changes were made. Write the script again with --from and the version the database is at.';
    end if;
  end loop;
end
$aisec_guard$;`;
}
