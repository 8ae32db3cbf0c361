import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { inReadOnly } from './read-only.js';

export interface ExtensionState {
  /** The schema it is in, quoted; null: not installed in this database. */
  readonly schema: string | null;
  /** Whether the server has its files. */
  readonly isAvailable: boolean;
  /** Whether the server loads its library at its start; null: the role may not see it. */
  readonly isPreloaded: boolean | null;
}

export async function readExtension(session: Session, name: string): Promise<ExtensionState> {
  const { rows } = await inReadOnly(session, () => session.query<ExtensionState>(sqlFile('monitor/extension'), [name]));
  return rows[0] ?? { schema: null, isAvailable: false, isPreloaded: null };
}
