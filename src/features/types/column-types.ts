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

interface Row extends ValueType, Omit<TypedColumn, 'type' | 'jsonType'> {
  readonly relation: string;
  readonly name: string;
}

/** The types of all columns of one schema. Those of the platform's own jsonb columns are known where `isPlatform`. */
export async function readColumnTypes(session: Session, schema: string, isPlatform: boolean): Promise<ColumnTypes> {
  const { rows } = await session.query<Row>(sqlFile('types/column-types'), [schema]);
  const keyOf = (relation: string, column: string): string => JSON.stringify([relation, column]);
  const byKey = new Map(
    rows.map(({ relation, name, domainNotNull, domainHasDefault, domainChecks, ...type }): [string, TypedColumn] => {
      const jsonType = isPlatform ? jsonTypeOf(relation, name) : undefined;
      return [keyOf(relation, name), { type, domainNotNull, domainHasDefault, domainChecks, jsonType }];
    }),
  );
  return (relation, column) => {
    const found = byKey.get(keyOf(relation, column));
    if (found === undefined) throw new Error(`the type of ${relation}.${column} is not known`);
    return found;
  };
}
