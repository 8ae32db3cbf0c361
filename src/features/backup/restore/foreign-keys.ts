import { countText } from '../../../base/count.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { Statement } from '../../../adapters/sql-parser/statements.js';
import { quotedTable, quoteIdentifier } from '../../../base/identifier.js';
import { alterTableOf, type Constraint } from './alter-table.js';

/** A foreign key as the statement that makes it says it. Names as they are, not quoted. */
export interface ForeignKey {
  readonly statement: Statement;
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly refersTo: { readonly schema: string; readonly table: string; readonly columns: readonly string[] };
}

/** Rows that refer to what is not there. */
export interface Dangling {
  readonly key: ForeignKey;
  readonly rows: number;
}

function namesIn(list: Constraint['fk_attrs']): readonly string[] {
  return (list ?? []).map((each) => each.String?.sval ?? '');
}

/** Undefined for a statement that makes none. */
export function foreignKeyOf(statement: Statement): ForeignKey | undefined {
  const alter = alterTableOf(statement);
  const constraint = alter?.constraint;
  if (alter === undefined || constraint?.contype !== 'CONSTR_FOREIGN') return undefined;
  return {
    statement,
    name: constraint.conname ?? '',
    schema: alter.schema,
    table: alter.table,
    columns: namesIn(constraint.fk_attrs),
    refersTo: {
      schema: constraint.pktable?.schemaname ?? '',
      table: constraint.pktable?.relname ?? '',
      columns: namesIn(constraint.pk_attrs),
    },
  };
}

/** True for a row whose every column is set (MATCH SIMPLE) and that refers to nothing. */
function isDangling({ columns, refersTo }: ForeignKey): string {
  const isSet = columns.map((name) => `referring.${quoteIdentifier(name)} is not null`);
  const isEqual = columns.map(
    (name, index) => `referred.${quoteIdentifier(refersTo.columns[index] ?? '')} = referring.${quoteIdentifier(name)}`,
  );
  return `${isSet.join(' and ')}
     and not exists (select from ${quotedTable(refersTo)} as referred where ${isEqual.join(' and ')})`;
}

/** The keys that the rows of the database do not keep, with how many rows each. */
export async function findDangling(session: Session, keys: readonly ForeignKey[]): Promise<readonly Dangling[]> {
  const found: Dangling[] = [];
  for (const key of keys) {
    const { rows } = await session.query<{ rows: string }>(
      `select pg_catalog.count(*) as rows from ${quotedTable(key)} as referring where ${isDangling(key)}`,
    );
    const count = Number(rows[0]?.rows);
    if (count > 0) found.push({ key, rows: count });
  }
  return found;
}

/** Deletes the rows of a key that refer to nothing. Returns how many. */
export async function leaveOutDangling(session: Session, key: ForeignKey): Promise<number> {
  return (await session.query(`delete from ${quotedTable(key)} as referring where ${isDangling(key)}`)).rowCount;
}

/** `13 rows of "public"."files" refer to missing rows of "public"."messages" (files_message_id_fkey)`. */
export function describeDangling({
  key,
  rows,
}: {
  readonly key: Omit<ForeignKey, 'statement'>;
  readonly rows: number;
}): string {
  return `${countText(rows, 'row')} of ${quotedTable(key)} ${rows === 1 ? 'refers' : 'refer'} to missing rows of ${quotedTable(key.refersTo)} (${key.name})`;
}
