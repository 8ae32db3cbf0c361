import { listed } from '../../../base/count.js';

/** A table by its names as they are, not quoted. */
export interface NamedTable {
  readonly schema: string;
  readonly table: string;
}

/** What is to be left out of a backup. */
export interface LeftOutWish {
  /** Definitions without a single row. */
  readonly isSchemaOnly: boolean;
  /** Of tables, as pg_dump takes them: their definitions are there and their rows are not. */
  readonly patterns: readonly string[];
}

/** What is not in a backup, so that it is not one of the whole database. */
export interface LeftOut extends LeftOutWish {
  /** Those whose rows are not in it. */
  readonly tables: readonly NamedTable[];
}

/** A manifest, or what is known of one. */
interface Described {
  readonly leftOut?: LeftOut | null | undefined;
}

const MOST_NAMED = 10;

/** Whether something was to be left out at all. */
export function leavesOut({ isSchemaOnly, patterns }: LeftOutWish): boolean {
  return isSchemaOnly || patterns.length > 0;
}

/** Whether all of the database is in it; only such a one counts as a backup of the database. */
export function isFull({ leftOut }: Described): boolean {
  return leftOut === undefined || leftOut === null;
}

/** What is not in it: `the rows of app.api_usage`; undefined for a full one. */
export function leftOutText({ leftOut }: Described): string | undefined {
  if (leftOut === undefined || leftOut === null) return undefined;
  if (leftOut.isSchemaOnly) return 'the rows of all tables (--schema-only)';
  // Of an encrypted backup the names are encrypted, too.
  if (leftOut.tables.length === 0) return 'the rows of some tables (--exclude-table-data)';
  const names = leftOut.tables.map(({ schema, table }) => `${schema}.${table}`);
  return `the rows of ${listed(names, MOST_NAMED)} (--exclude-table-data)`;
}
