import type { Session } from '../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { Reporting } from '../../base/reporting.js';
import { BUNDLED_SOURCE } from './files/source.js';
import { historyTables } from './history/history-sql.js';
import { shellWord } from '../../base/package/aisec-command.js';

/**
 * Warns when what a run is about to create will belong to another role than what is there: the owner of the tables may then
 * not use, replace or drop it.
 */
export async function warnOfOtherOwner(session: Session, schema: string, { onWarning }: Reporting): Promise<void> {
  const { rows } = await session.query<{ owner: string; role_name: string }>(
    `select owner.rolname::text as owner, current_user::text as role_name
     from pg_catalog.pg_class as class
     join pg_catalog.pg_roles as owner on owner.oid = class.relowner
     where class.oid = pg_catalog.to_regclass($1)
       and owner.rolname <> current_user`,
    [`${quoteIdentifier(schema)}.${historyTables(BUNDLED_SOURCE).engine}`],
  );
  const [found] = rows;
  if (found === undefined) return;
  const { owner, role_name: role } = found;
  onWarning(
    `the tables belong to the role "${owner}", and what this run creates will belong to "${role}"; work as the owner: --role ${shellWord(owner)}`,
  );
}
