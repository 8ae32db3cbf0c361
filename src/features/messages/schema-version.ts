import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';

/** The name of the newest migration of the schema; null when it has no history. */
export async function schemaVersion(session: Session): Promise<string | null> {
  const { rows } = await session.query<{ exists: boolean }>(
    "select pg_catalog.to_regclass('pgmigrations') is not null as exists",
  );
  if (rows[0]?.exists !== true) return null;
  const found = await session.query<{ name: string | null }>(sqlFile('archive/schema-version'));
  return found.rows[0]?.name ?? null;
}
