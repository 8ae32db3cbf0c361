import { sqlFile } from '../../adapters/postgres/sql-file.js';
import type { Session } from '../../adapters/postgres/session.js';
import { jsonTypeOf } from './names.js';
import type { ValueType } from './relation.js';

/** What the type of a column says of it. */
export interface TypedColumn {
  readonly type: ValueType;
  readonly domainNotNull: boolean;
  readonly domainHasDefault: boolean;
  readonly domainChecks: readonly string[];
  readonly jsonType: string | undefined;
}

export type ColumnTypes = (relation: string, column: string) => TypedColumn;

interface Row extends Omit<ValueType, 'printed' | 'isExact' | 'isWrittenAsText'> {
  readonly relation: string;
  readonly name: string;
  readonly type: string;
  readonly is_exact: boolean;
  readonly is_written_as_text: boolean;
  readonly domain_not_null: boolean;
  readonly domain_has_default: boolean;
  readonly domain_checks: readonly string[];
}

/** The types of all columns of one schema. Those of the platform's own jsonb columns are known where `isPlatform`. */
export async function readColumnTypes(session: Session, schema: string, isPlatform: boolean): Promise<ColumnTypes> {
  const { rows } = await session.query<Row>(sqlFile('types/column-types'), [schema]);
  const keyOf = (relation: string, column: string): string => JSON.stringify([relation, column]);
  const byKey = new Map(
    rows.map((row): [string, TypedColumn] => {
      const { relation, name, type, base, origin, kind, length, dimensions, labels } = row;
      const [isExact, isWrittenAsText] = [row.is_exact, row.is_written_as_text];
      return [
        keyOf(relation, name),
        {
          type: { printed: type, base, origin, kind, length, dimensions, labels, isExact, isWrittenAsText },
          domainNotNull: row.domain_not_null,
          domainHasDefault: row.domain_has_default,
          domainChecks: row.domain_checks,
          jsonType: isPlatform ? jsonTypeOf(relation, name) : undefined,
        },
      ];
    }),
  );
  return (relation, column) => {
    const found = byKey.get(keyOf(relation, column));
    if (found === undefined) throw new Error(`the type of ${relation}.${column} is not known`);
    return found;
  };
}
