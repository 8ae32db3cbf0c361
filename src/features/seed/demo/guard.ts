import { isDeepStrictEqual } from 'node:util';

import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { markerKey } from './demo-tables.js';
import type { DemoOptions } from './options.js';

/** @throws AisecError MIGRATION_PENDING when the schema lacks what the demo data needs. */
export async function refuseUnmigrated(session: Session, schema: string): Promise<void> {
  const { rows } = await session.query<{ is_migrated: boolean }>(
    'select pg_catalog.to_regprocedure($1) is not null as is_migrated',
    [`${quoteIdentifier(schema)}.ensure_message_partitions(integer, date)`],
  );
  if (rows[0]?.is_migrated === true) return;
  throw new AisecError('MIGRATION_PENDING', `the schema "${schema}" of ${session.info.label} is not migrated`, {
    detail: 'No changes were made.',
    hint: 'Run: aisec migrate up',
  });
}

/**
 * Whether the demo data of this seed is in the database already.
 *
 * @throws AisecError REFUSED when it is, made with other options: its keys would be the same.
 */
export async function isThere(session: Session, options: DemoOptions): Promise<boolean> {
  const { rows } = await session.query<{ value: unknown }>('select value from system_settings where key = $1', [
    markerKey(options),
  ]);
  const [found] = rows;
  if (found === undefined) return false;
  if (isDeepStrictEqual(found.value, { ...options })) return true;
  throw new AisecError(
    'REFUSED',
    `${session.info.label} has the demo data of seed "${options.seed}" in other numbers`,
    {
      detail: `It was made with ${JSON.stringify(found.value)}. No changes were made.`,
      hint: 'Give another --seed to add more, or use a fresh database.',
    },
  );
}

/** Tables with rows that are neither the settings nor the admin user of `aisec seed`. */
export async function tablesWithRows(session: Session): Promise<readonly string[]> {
  const { rows } = await session.query<{ table_name: string }>(sqlFile('seed/tables-with-rows'));
  return rows.map((row) => row.table_name);
}
