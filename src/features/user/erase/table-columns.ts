import type { TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { readColumns, type PersonColumn } from '../export/columns.js';
import type { Ownership } from '../graph/ownership.js';
import { tablesOf } from '../graph/read-ownership.js';

export type TableColumns = ReadonlyMap<TableKey, readonly PersonColumn[]>;

export async function readTableColumns(session: Session, ownership: Ownership): Promise<TableColumns> {
  return readColumns(session, tablesOf(ownership));
}
