import type { Session } from '../../postgres/session.js';
import { sqlFile } from '../../postgres/sql-file.js';
import type { Reference } from './reference.js';

interface ForeignKeyRow extends Omit<Reference, 'refersTo' | 'isArray' | 'onlyIf'> {
  readonly referredSchema: string;
  readonly referredTable: string;
  readonly referredColumns: readonly string[];
}

interface DeclaredRow extends Pick<Reference, 'schema' | 'table' | 'isArray' | 'isNullable'> {
  readonly column: string;
  readonly comment: string;
}

const NAME = String.raw`[\p{L}_][\p{L}\p{N}_$]*`;
const DECLARATION = new RegExp(
  String.raw`refers: (?:(?<schema>${NAME})\.)?(?<table>${NAME})\.(?<column>${NAME})(?: if (?<condition>${NAME}) = '(?<value>[^']*)')?`,
  'gu',
);

/**
 * References that the comment of a column declares: `refers: users.id`, also of an array, whose elements refer, and
 * `refers: users.id if owner_type = 'user'` where the column refers to different tables. Several may stand in one
 * comment. Nothing of a comment is ever run as SQL.
 */
function declaredReferences(row: DeclaredRow): readonly Reference[] {
  return [...row.comment.matchAll(DECLARATION)].map(({ groups = {} }) => ({
    name: `${row.table}.${row.column}`,
    schema: row.schema,
    table: row.table,
    columns: [row.column],
    refersTo: {
      schema: groups['schema'] ?? row.schema,
      table: groups['table'] ?? '',
      columns: [groups['column'] ?? ''],
    },
    onDelete: 'no action',
    isNullable: row.isNullable,
    isArray: row.isArray,
    onlyIf: groups['condition'] === undefined ? null : { column: groups['condition'], value: groups['value'] ?? '' },
  }));
}

/**
 * The foreign keys of all tables of the database, whichever schema they are in, and the references that comments of
 * columns declare. Partitions count as their root. What triggers keep instead of a foreign key, the noun that has the
 * triggers knows (`platformReferences` of messages).
 */
export async function readReferences(session: Session): Promise<readonly Reference[]> {
  const keys = await session.query<ForeignKeyRow>(sqlFile('catalog/references'));
  const declared = await session.query<DeclaredRow>(sqlFile('catalog/declared-references'));
  return [
    ...keys.rows.map(({ referredSchema, referredTable, referredColumns, ...key }) => ({
      ...key,
      refersTo: { schema: referredSchema, table: referredTable, columns: referredColumns },
      isArray: false,
      onlyIf: null,
    })),
    ...declared.rows.flatMap(declaredReferences),
  ];
}
