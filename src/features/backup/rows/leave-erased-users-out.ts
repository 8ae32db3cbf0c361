import { tableIn } from '../../../adapters/catalog/references/reference.js';
import type { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { ErasedUsers } from '../erasures/erasure-record.js';
import type { ErasureLists } from '../erasures/gather.js';
import { refuseRestore, restoreFinding } from '../restore/findings.js';

/** Takes back the chosen users who were erased, before what belongs to them is chosen. @throws AisecError RESTORE_BLOCKED. */
export async function leaveErasedUsersOut(
  session: Session,
  choice: ChosenRows,
  schema: string,
  { records, sources }: ErasureLists,
): Promise<number> {
  if (records.length === 0) return 0;
  const key = tableIn(schema, 'users');
  const users = new ErasedUsers(records);
  const { rows } = await session.query<{ id: string }>(`select scratch.id::text as id from ${choice.join(key)}`);
  const erased = rows.map(({ id }) => id).filter((id) => users.find(id) !== undefined);
  if (erased.length === rows.length)
    refuseRestore(
      erased.slice(0, 5).map((id) =>
        restoreFinding('erased', id, {
          message: `user ${id} was erased after the backup was made, on record in ${sources.join(', ')}`,
          impact: 'restoring the rows would bring back a person who was erased',
        }),
      ),
      'the tables',
    );
  const list = erased.map((id) => quoteLiteral(id)).join(', ');
  return erased.length === 0
    ? 0
    : choice.keepOnly(key, `select tableoid, ctid from ${choice.nameOf(key)} where id::text not in (${list})`);
}
