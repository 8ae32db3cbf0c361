import { leavesOut, type LeftOut, type LeftOutWish, type NamedTable } from '../catalog/left-out.js';
import type { BackupRows } from '../catalog/manifest.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { listed } from '../../../base/count.js';
import type { Reporting } from '../../../base/reporting.js';

interface ReferenceRow {
  readonly schema: string;
  readonly table: string;
  readonly constraint_name: string;
  readonly referenced: string;
}

const MOST_NAMED = 5;

/** A key whose rows are there and whose targets are not is what a restore of all of it stops at. */
async function warnOfReferences(
  session: Session,
  tables: readonly NamedTable[],
  rows: readonly BackupRows[],
  { onWarning }: Reporting,
): Promise<void> {
  const found = await session.query<ReferenceRow>(sqlFile('backup/references-to'), [
    tables.map(({ schema }) => schema),
    tables.map(({ table }) => table),
  ]);
  const broken = found.rows.filter((key) =>
    rows.some((each) => each.schema === key.schema && each.table === key.table && each.rows > 0),
  );
  if (broken.length === 0) return;
  const named = broken.map((key) => `${key.table}.${key.constraint_name} to ${key.referenced}`);
  onWarning(
    `rows were left out that others may refer to, so that restoring all of it may stop at a foreign key: ${listed(named, MOST_NAMED)}`,
  );
}

/**
 * What pg_dump left out by the wish; undefined when that is nothing, and the backup is a full one.
 *
 * @param lacking the tables whose rows the archive does not have
 */
export async function leftOutOf(
  session: Session,
  wish: LeftOutWish,
  { lacking, rows }: { readonly lacking: readonly NamedTable[]; readonly rows: readonly BackupRows[] },
  reporting: Reporting,
): Promise<LeftOut | undefined> {
  if (!leavesOut(wish)) return undefined;
  if (wish.isSchemaOnly) return { ...wish, tables: lacking };
  if (lacking.length === 0) {
    reporting.onWarning(`no table matches ${wish.patterns.join(', ')}, so nothing was left out of the backup`);
    return undefined;
  }
  await warnOfReferences(session, lacking, rows, reporting);
  return { ...wish, tables: lacking };
}
