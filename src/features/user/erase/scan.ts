import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { groupBy } from '../../../base/group-by.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { Person } from '../graph/find-person.js';

export interface ScanHit {
  /** With schema. */
  readonly table: string;
  readonly column: string;
  readonly rows: number;
}

export interface Scan {
  readonly columns: number;
  readonly hits: readonly ScanHit[];
}

interface ColumnRow {
  readonly table: string;
  readonly display: string;
  readonly column: string;
  readonly kind: 'uuid' | 'uuid array' | 'text';
}

/**
 * Whether a value names the person: $1 the id, $2 the username, $3 the e-mail address. Id and address are found anywhere
 * in a text; a username, which may be a common word, only where it is the whole value, or a whole string of JSON.
 */
function names({ column, kind }: ColumnRow): string {
  const value = quoteIdentifier(column);
  if (kind === 'uuid') return `${value} = $1::text::uuid`;
  if (kind === 'uuid array') return `$1::text::uuid = any (${value})`;
  const text = `pg_catalog.lower(${value}::text)`;
  return `pg_catalog.strpos(${text}, pg_catalog.lower($1::text)) > 0
    or pg_catalog.strpos(${text}, pg_catalog.lower($3::text)) > 0
    or ${value}::text = $2::text
    or pg_catalog.strpos(${value}::text, pg_catalog.to_json($2::text)::text) > 0`;
}

/** Searches every column that can hold the id, the username or the address, in all schemas, live and archived. */
export async function scanForPerson(
  session: Session,
  { id, username, email }: Person,
  onProgress: (text: string) => void,
): Promise<Scan> {
  const { rows: columns } = await session.query<ColumnRow>(sqlFile('user/scanned-columns'));
  const hits: ScanHit[] = [];
  for (const [table, own] of groupBy(columns, (each) => each.table)) {
    const [{ display } = { display: table }] = own;
    onProgress(`searching ${display}`);
    const counts = own.map((each, index) => `pg_catalog.count(*) filter (where ${names(each)}) as hits_${index}`);
    const { rows } = await session.query<Record<string, string>>(
      // Each parameter has its type even where no column of the table is a text.
      `select ${counts.join(', ')} from ${table} where $1::text is not null and $2::text is not null and $3::text is not null`,
      [id, username, email],
    );
    for (const [index, { column }] of own.entries()) {
      const count = Number(rows[0]?.[`hits_${index}`] ?? 0);
      if (count > 0) hits.push({ table: display, column, rows: count });
    }
  }
  return { columns: columns.length, hits };
}
