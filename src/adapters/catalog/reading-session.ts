import { quoteIdentifier } from '../../base/identifier.js';
import { withTransaction, type Session } from '../postgres/session.js';
import type { CatalogExtension } from './catalog.js';

/** Schemas other than PostgreSQL's own that hold extensions: their types and operators are named without the schema. */
export function extensionSchemas(extensions: readonly CatalogExtension[]): readonly string[] {
  return [...new Set(extensions.map((extension) => extension.schema))]
    .filter((schema) => schema !== 'pg_catalog')
    .toSorted();
}

function settingsFor(schema: string, extensions: readonly CatalogExtension[]): Readonly<Record<string, string>> {
  const others = extensionSchemas(extensions).filter((other) => other !== schema);
  return {
    search_path: [...[schema, ...others].map(quoteIdentifier), 'pg_temp'].join(', '),
    // All of these change how bounds, defaults and names are printed.
    timezone: 'UTC',
    datestyle: 'ISO, YMD',
    intervalstyle: 'postgres',
    bytea_output: 'hex',
    extra_float_digits: '1',
    quote_all_identifiers: 'off',
  };
}

async function apply(session: Session, settings: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const names = Object.keys(settings);
  const reads = names.map((name) => `pg_catalog.current_setting('${name}') as ${name}`);
  const { rows } = await session.query<Record<string, string>>(`select ${reads.join(', ')}`);
  const writes = names.map((name, index) => `pg_catalog.set_config('${name}', $${index + 1}, true)`);
  await session.query(`select ${writes.join(', ')}`, Object.values(settings));
  return rows[0] ?? {};
}

/**
 * Runs the callback with settings under which the schema's objects print without the schema, whatever its name and
 * whatever the session has set. Opens a read-only transaction with one snapshot, or works in the caller's and gives
 * its settings back.
 */
export async function withReadingSettings<Result>(
  session: Session,
  schema: string,
  readExtensions: () => Promise<readonly CatalogExtension[]>,
  read: (extensions: readonly CatalogExtension[]) => Promise<Result>,
): Promise<Result> {
  if (!session.isInTransaction) {
    return withTransaction(session, async () => {
      await session.query('set transaction isolation level repeatable read, read only');
      const extensions = await readExtensions();
      await apply(session, settingsFor(schema, extensions));
      return read(extensions);
    });
  }
  const extensions = await readExtensions();
  const before = await apply(session, settingsFor(schema, extensions));
  const result = await read(extensions);
  // Not after an error: the transaction is aborted then, and with it the settings.
  await apply(session, before);
  return result;
}
