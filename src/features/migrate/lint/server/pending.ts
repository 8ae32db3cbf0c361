import type { Session } from '../../../../adapters/postgres/session.js';
import { labelOf } from '../../files/source.js';
import { compareWithDatabase, type MigrateSettings } from '../../prepare.js';

/** The labels of the migrations that `migrate up` would run on this database. Reads only. */
export async function pendingOnServer(session: Session, settings: MigrateSettings): Promise<ReadonlySet<string>> {
  const { statuses } = await compareWithDatabase(session, settings);
  const isPending = new Set(['pending', 'late', 'incomplete']);
  return new Set(statuses.filter(({ state }) => isPending.has(state)).map(labelOf));
}
