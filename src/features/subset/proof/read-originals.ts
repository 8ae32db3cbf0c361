import type { Session } from '../../../adapters/postgres/session.js';
import type { PiiClass } from '../classes.js';
import { elementsOf } from '../mask/mask-row.js';
import { isTakenApart, readRows } from '../read/read-rows.js';
import type { ClassedColumn } from '../read/classify.js';
import type { Slice } from '../read/slice.js';
import { Originals } from './originals.js';

/** Classes of which originals are remembered. */
const REMEMBERED = new Set<PiiClass>(['email', 'name', 'username', 'text', 'json']);

/** The values of a column as texts. */
export function textsOf(column: ClassedColumn, value: string | null): readonly string[] {
  if (value === null) return [];
  return isTakenApart(column) ? elementsOf(value) : [value];
}

/** Calls back with every original value that may not come back, table by table. */
export async function eachOriginal(
  session: Session,
  { choice, keys, columnsOf }: Slice,
  visit: (piiClass: PiiClass, value: string) => void,
): Promise<void> {
  for (const key of keys) {
    const columns = (columnsOf.get(key) ?? []).filter(({ piiClass }) => REMEMBERED.has(piiClass));
    if (columns.length === 0) continue;
    for (const part of await choice.parts(key))
      for await (const rows of readRows(session, columns, choice.joinPart(key, part, 'source')))
        for (const row of rows)
          for (const [index, column] of columns.entries())
            for (const text of textsOf(column, row[index] ?? null)) visit(column.piiClass, text);
  }
}

/** What must not stand in the result. */
export async function readOriginals(session: Session, slice: Slice): Promise<Originals> {
  const originals = new Originals();
  await eachOriginal(session, slice, (piiClass, value) => originals.add(piiClass, value));
  return originals;
}
