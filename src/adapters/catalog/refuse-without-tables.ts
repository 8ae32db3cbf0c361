import { AisecError } from '../../base/errors.js';
import { aisecCommand } from '../../base/package/aisec-command.js';
import type { Session } from '../postgres/session.js';

/** For what would report nothing: an empty schema is mostly one that is not migrated, or the wrong one. @throws AisecError MIGRATION_PENDING. */
export async function refuseWithoutTables(session: Session, schema: string): Promise<void> {
  const { rows } = await session.query(
    `select from pg_catalog.pg_class as class
     join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
     where namespace.nspname = $1 and class.relkind in ('r', 'p', 'v', 'm', 'f')
     limit 1`,
    [schema],
  );
  if (rows.length > 0) return;
  throw new AisecError('MIGRATION_PENDING', `the schema "${schema}" of ${session.info.label} has no tables`, {
    hint: `Run: ${aisecCommand('migrate up', schema)}, or name the schema with --schema.`,
  });
}
