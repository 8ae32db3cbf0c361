import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule, type FixStep, type RelationFacts } from '../../rule.js';
import { addedColumns, constraintsOf, rowsText, typeName, typeText } from '../parts.js';

export const addColumnNotNull = statementRule({
  id: 'add-column-not-null',
  severity: 'critical',
  title: 'ADD COLUMN NOT NULL without a default',
  impact: 'It fails as soon as the table has a row, and services that do not know the column cannot insert any more.',
  example: {
    before: 'create table invoices (id bigint primary key);',
    bad: 'alter table invoices add column currency text not null;',
    good: "alter table invoices add column currency text not null default 'EUR';",
  },
  check: (statement, surroundings) =>
    addedColumns(statement, surroundings).flatMap(({ table, column }) => {
      const types = constraintsOf(column).map(({ contype }) => contype);
      const has = (...wanted: readonly string[]): boolean => types.some((type) => wanted.includes(type ?? ''));
      const isSerial = /serial/.test(typeText(column.typeName));
      if (!has('CONSTR_NOTNULL', 'CONSTR_PRIMARY') || has('CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'))
        return [];
      if (isSerial) return [];
      const name = nameInSql(column.colname ?? '');
      return {
        object: `${table.name}.${column.colname ?? ''}`,
        message: `column ${name} of ${table.sqlName}${rowsText(table)} is NOT NULL and has no default`,
        fix: [{ sql: `alter table ${table.sqlName} add column ${name} ${typeText(column.typeName)};` }],
      };
    }),
});

const PLAIN: Readonly<Record<string, string>> = {
  bigserial: 'bigint',
  serial: 'integer',
  serial4: 'integer',
  serial8: 'bigint',
  smallserial: 'smallint',
  serial2: 'smallint',
};

export const generatedColumn = statementRule({
  id: 'generated-column',
  severity: 'warning',
  title: 'ADD COLUMN serial, identity or GENERATED … STORED on a table in use',
  impact:
    'Every row gets a value at once: the table is rewritten under an ACCESS EXCLUSIVE lock, and reads and writes wait.',
  example: {
    before: 'create table invoices (id uuid primary key);',
    bad: 'alter table invoices add column number bigint generated always as identity;',
    good: 'alter table invoices add column number bigint;',
  },
  check: (statement, surroundings) =>
    addedColumns(statement, surroundings).flatMap(({ table, column }) => {
      const isSerial = typeName(column.typeName) in PLAIN;
      const isGenerated = constraintsOf(column).some(
        ({ contype, generated_kind: kind }) =>
          contype === 'CONSTR_IDENTITY' || (contype === 'CONSTR_GENERATED' && kind !== 'v'),
      );
      if (!isSerial && !isGenerated) return [];
      if (surroundings.effects?.rewritten.length === 0 && table.kind !== 'p') return [];
      const name = nameInSql(column.colname ?? '');
      const type = PLAIN[typeName(column.typeName)] ?? typeText(column.typeName);
      return {
        object: `${table.name}.${column.colname ?? ''}`,
        message: `column ${name} is computed for every row, so ${table.sqlName}${rowsText(table)} is rewritten`,
        fix: [{ sql: `alter table ${table.sqlName} add column ${name} ${type};` }],
      };
    }),
});

/** New rows get the value, and the old ones in batches. */
function steps(table: RelationFacts, column: string, type: string, value: string): readonly FixStep[] {
  return [
    { sql: `alter table ${table.sqlName} add column ${column} ${type};` },
    { sql: `alter table ${table.sqlName} alter column ${column} set default ${value};` },
  ];
}

export const volatileDefault = statementRule({
  id: 'volatile-default',
  severity: 'warning',
  title: 'ADD COLUMN with a volatile default',
  impact:
    'The table is rewritten under an ACCESS EXCLUSIVE lock: reads and writes wait, and it needs its size again on the disk. A constant default, or now(), costs nothing.',
  example: {
    before: 'create table invoices (id bigint primary key);',
    bad: 'alter table invoices add column token uuid default gen_random_uuid();',
    good: 'alter table invoices add column token uuid;\nalter table invoices alter column token set default gen_random_uuid();',
  },
  check: (statement, surroundings) =>
    addedColumns(statement, surroundings).flatMap(({ table, column }) => {
      const given = constraintsOf(column).find(({ contype }) => contype === 'CONSTR_DEFAULT');
      // The server itself says whether it rewrote: it knows which functions are volatile.
      if (given === undefined || surroundings.effects === undefined || surroundings.effects.rewritten.length === 0)
        return [];
      const name = nameInSql(column.colname ?? '');
      const value = /\bdefault\s+((?:[\w.]+\s*\([^()]*\))|[^\s,]+)/i.exec(statement.text)?.[1] ?? 'null';
      return {
        object: `${table.name}.${column.colname ?? ''}`,
        message: `the default of ${name} is another one for each row, so ${table.sqlName}${rowsText(table)} is rewritten`,
        fix: steps(table, name, typeText(column.typeName), value),
      };
    }),
});
