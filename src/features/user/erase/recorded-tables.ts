import { tableIn, type TableKey } from '../../../adapters/catalog/references/reference.js';

const KEY = /^"(?:[^"]|"")*"\."(?:[^"]|"")*"$/;

function isKey(text: string): text is TableKey {
  return KEY.test(text);
}

/** A table as a record of an erasure names it; `schema table` in those of versions before keys were quoted. */
export function recordedTable(text: string): TableKey {
  if (isKey(text)) return text;
  const [, schema = '', table = ''] = /^([^ ]*) (.*)$/s.exec(text) ?? [];
  return tableIn(schema, table);
}
