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

interface ExtensionRow {
  readonly schema_name: string | null;
  readonly is_available: boolean;
  readonly is_preloaded: boolean | null;
}

export async function readExtension(session: Session, name: string): Promise<ExtensionState> {
  const { rows } = await inReadOnly(session, () => session.query<ExtensionRow>(sqlFile('monitor/extension'), [name]));
  const [row] = rows;
  return {
    schema: row?.schema_name ?? null,
    isAvailable: row?.is_available === true,
    isPreloaded: row?.is_preloaded ?? null,
  };
}
