import { sqlFile } from '../adapters/postgres/sql-file.js';
import { quoteIdentifier, quoteLiteral } from '../base/identifier.js';

/** Runs a text without parameters. */
export type RunQuery = <Row extends object>(text: string) => Promise<{ readonly rows: readonly Row[] }>;

interface Named {
  readonly name: string;
}

/** A function that empties the tables there are now; it asks first which have rows, for TRUNCATE takes its time for each. */
export async function tableCleaner(query: RunQuery): Promise<() => Promise<void>> {
  const { rows } = await query<Named>(sqlFile('testing/tables'));
  const filled = rows
    .map(({ name }) => quoteIdentifier(name))
    .map((name) => `select ${quoteLiteral(name)} as name where exists (select from ${name})`)
    .join(' union all ');
  return async () => {
    const found = await query<Named>(filled);
    const names = found.rows.map(({ name }) => name);
    if (names.length > 0) await query(`truncate ${names.join(', ')} restart identity cascade`);
  };
}
