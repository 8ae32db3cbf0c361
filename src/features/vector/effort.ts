import type { Session } from '../../adapters/postgres/session.js';
import { EFFORT_SETTING } from './recall.js';
import type { Method } from './vector-index.js';

/** The effort that a search has now, as the database and the role are set. */
export async function currentEffort(session: Session, method: Method): Promise<number> {
  // The setting exists once the library of pgvector is loaded, which the first vector of a session does.
  await session.query(`select '[1]'::vector`);
  const { rows } = await session.query<{ value: string }>('select pg_catalog.current_setting($1) as value', [
    EFFORT_SETTING[method],
  ]);
  return Number(rows[0]?.value);
}
