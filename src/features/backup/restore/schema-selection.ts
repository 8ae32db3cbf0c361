import { nameIn, type TocEntry } from '../contents/toc.js';
import { isTable, type TableSelection } from './table-selection.js';

/** Whether an entry is in the schema or is the schema; of two schemas whose names begin alike the longer one counts. */
function isOfSchema(schema: string, schemas: readonly string[]): (entry: TocEntry) => boolean {
  const longer = schemas.filter((name) => name.startsWith(`${schema} `));
  return (entry) => {
    const { kind, description } = entry;
    if (kind === 'SCHEMA') return nameIn(entry) === `- ${schema}`;
    if (description.startsWith(`- SCHEMA ${schema} `) || description === `- SCHEMA ${schema}`) return true;
    return description.startsWith(`${schema} `) && !longer.some((name) => description.startsWith(`${name} `));
  };
}

/**
 * A schema with all that is in it. Undefined when the archive does not have it.
 *
 * @param isInTarget whether the database has the object already: an empty schema may be there
 */
export function selectSchema(
  entries: readonly TocEntry[],
  schema: string,
  isInTarget: (entry: TocEntry) => boolean,
): TableSelection | undefined {
  const schemas = entries.filter(({ kind }) => kind === 'SCHEMA').map((entry) => nameIn(entry).slice(2));
  const isOf = isOfSchema(schema, schemas);
  const chosen = entries.filter((entry) => isOf(entry) && !(entry.kind === 'SCHEMA' && isInTarget(entry)));
  const tables = chosen.filter(isTable);
  if (tables.length === 0) return undefined;
  return {
    entries: chosen,
    tables,
    prerequisites: [],
    leaning: [],
    left: [],
    rowSecurity: chosen.filter(({ kind }) => kind === 'ROW SECURITY'),
  };
}
