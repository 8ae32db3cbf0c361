import type { Session } from '../../../adapters/postgres/session.js';
import { readColumns, type PersonColumn } from '../export/columns.js';
import type { Ownership } from '../graph/ownership.js';
import { tablesOf } from '../graph/read-ownership.js';

/** By `schema table`. */
export type TableColumns = ReadonlyMap<string, readonly PersonColumn[]>;

export async function readTableColumns(session: Session, ownership: Ownership): Promise<TableColumns> {
  return readColumns(session, tablesOf(ownership));
}
