import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { countText } from '../../../base/count.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { TocEntry } from '../contents/toc.js';

interface RestoredTable {
  /** For a person. */
  readonly name: string;
  /** As SQL: where its rows are. */
  readonly rows: string;
}

/** The least and the greatest number of the large objects in an archive; undefined where it has none. */
function largeObjectsOf(entries: readonly TocEntry[]): readonly [least: number, most: number] | undefined {
  const numbers = entries
    .filter(({ kind }) => kind === 'BLOB' || kind === 'BLOB METADATA')
    .flatMap(({ description }) => /^- (\d+)(?:\.\.(\d+))? /.exec(description)?.slice(1) ?? [])
    .flatMap((number) => (number === undefined ? [] : [Number(number)]));
  return numbers.length === 0 ? undefined : [Math.min(...numbers), Math.max(...numbers)];
}

/** Warnings for rows with the number of a large object that the backup has and the database has not: rows alone were restored. */
export async function missingLargeObjects(
  session: Session,
  entries: readonly TocEntry[],
  tables: readonly RestoredTable[],
): Promise<readonly string[]> {
  const range = largeObjectsOf(entries);
  const warnings: string[] = [];
  if (range === undefined) return warnings;
  for (const { name, rows: place } of tables) {
    const columns = await session.query<{ name: string }>(sqlFile('backup/oid-columns'), [place]);
    for (const column of columns.rows.map((each) => quoteIdentifier(each.name))) {
      const { rows } = await session.query<{ rows: string }>(
        `select pg_catalog.count(*) as rows from only ${place} as restored
         where ${column} between $1 and $2
           and not exists (select from pg_catalog.pg_largeobject_metadata where oid = restored.${column})`,
        range,
      );
      const count = Number(rows[0]?.rows);
      if (count > 0)
        warnings.push(
          `${countText(count, 'row')} of ${name} name in ${column} a large object that the database lacks; the backup has it, and pg_restore brings it back: docs/backups.md, "Large objects"`,
        );
    }
  }
  return warnings;
}
