import { refuseWithoutUsers } from '../../../adapters/catalog/refuse-without-users.js';
import { readReferences } from '../../../adapters/catalog/references/read-references.js';
import { displayName, tableIn, tableKey, type TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../base/errors.js';
import { platformReferences } from '../../messages/index.js';
import { ownershipOf, type Ownership } from './ownership.js';

/** @throws AisecError MIGRATION_PENDING when the schema has no users. */
export async function readOwnership(session: Session, schema: string): Promise<Ownership> {
  const users = tableIn(schema, 'users');
  await refuseWithoutUsers(session, schema);
  return ownershipOf(users, [...(await readReferences(session)), ...platformReferences(schema)]);
}

/** All tables whose rows must be seen: those that have a person's, and those that refer to them. */
export function tablesOf(ownership: Ownership): readonly TableKey[] {
  return [...new Set([...ownership.tables, ...ownership.references.map((each) => tableKey(each))])];
}

/**
 * A role that sees only some rows would report that a person has none: it is refused before anything is read.
 *
 * @throws AisecError PRIVILEGE_MISSING naming the tables.
 */
export async function requireAllRows(
  session: Session,
  keys: readonly TableKey[],
  needed: 'select' | 'select and delete',
): Promise<void> {
  const { rows } = await session.query<{ table: string; reason: 'policies' | 'privilege' }>(
    sqlFile('user/hidden-tables'),
    [keys, needed],
  );
  const [first] = rows;
  if (first === undefined) return;
  const names = keys.filter((key) => rows.some(({ table }) => table === key)).map(displayName);
  throw new AisecError(
    'PRIVILEGE_MISSING',
    first.reason === 'policies'
      ? `row-level security would hide rows of ${names.join(', ')} from the role`
      : `the role may not ${needed} rows of ${names.join(', ')}`,
    {
      detail: 'What it cannot see would be taken for what is not there.',
      hint: 'No changes were made. Run it as the owner of the tables, or as a role with BYPASSRLS and the privileges.',
    },
  );
}
