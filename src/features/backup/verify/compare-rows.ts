import { quotedTable } from '../../../base/identifier.js';
import type { BackupRows } from '../catalog/manifest.js';
import type { Session } from '../../../adapters/postgres/session.js';

async function count(session: Session, relation: string): Promise<number> {
  const { rows } = await session.query<{ rows: string }>(`select pg_catalog.count(*) as rows from ${relation}`);
  return Number(rows[0]?.rows);
}

/**
 * Counts the rows of the tables again and says what is not as it was, one line a table; empty when all is.
 * Needs a role that row-level security does not apply to: with another one the count fails instead of being wrong.
 */
export async function compareRows(
  session: Session,
  expected: readonly BackupRows[],
  onProgress: (text: string) => void,
): Promise<readonly string[]> {
  await session.query('set row_security = off');
  const faults: string[] = [];
  for (const { schema, table, rows } of expected) {
    onProgress(`counting ${schema}.${table}`);
    const name = quotedTable({ schema, table });
    const exists = await session.query<{ is_there: boolean }>(
      'select pg_catalog.to_regclass($1) is not null as is_there',
      [name],
    );
    if (exists.rows[0]?.is_there !== true) {
      faults.push(`table ${name} is missing`);
      continue;
    }
    const found = await count(session, `only ${name}`);
    // Older versions counted what inherits from a table with it.
    if (found !== rows && (await count(session, name)) !== rows)
      faults.push(`table ${name} has ${found} rows, the backup had ${rows}`);
  }
  return faults;
}
