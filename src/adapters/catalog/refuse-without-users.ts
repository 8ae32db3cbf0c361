import { AisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { aisecCommand } from '../../base/package/aisec-command.js';
import type { Session } from '../postgres/session.js';

/** For what begins with the rows of a user. @throws AisecError MIGRATION_PENDING. */
export async function refuseWithoutUsers(session: Session, schema: string): Promise<void> {
  const { rows } = await session.query<{ exists: boolean }>('select pg_catalog.to_regclass($1) is not null as exists', [
    `${quoteIdentifier(schema)}.users`,
  ]);
  if (rows[0]?.exists === true) return;
  throw new AisecError('MIGRATION_PENDING', `the schema "${schema}" has no table users`, {
    hint: `Run: ${aisecCommand('migrate up', schema)}`,
  });
}
