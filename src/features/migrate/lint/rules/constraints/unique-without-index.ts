import { namesOf } from '../../../../../adapters/sql-parser/nodes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule, type Fault, type FixStep, type LintedStatement, type Surroundings } from '../../rule.js';
import { addedConstraints, columnList, rowsText, type AddedConstraint } from '../parts.js';
import { partitionedRecipe } from '../indexes/index-not-concurrent.js';

function fixFor({ table, constraint, name }: AddedConstraint): readonly FixStep[] {
  const columns = columnList(namesOf(constraint.keys));
  const own = nameInSql(name);
  if (table.kind === 'p') return partitionedRecipe(table, name, `(${columns})`, true);
  const kind = constraint.contype === 'CONSTR_PRIMARY' ? 'primary key' : 'unique';
  return [
    { sql: `create unique index concurrently ${own} on ${table.sqlName} (${columns});`, isOutsideTransaction: true },
    { sql: `alter table ${table.sqlName} add constraint ${own} ${kind} using index ${own};` },
  ];
}

function check(statement: LintedStatement, surroundings: Surroundings): readonly Fault[] {
  const added = ['CONSTR_UNIQUE', 'CONSTR_PRIMARY'].flatMap((type) => addedConstraints(statement, surroundings, type));
  return added
    .filter(({ constraint }) => constraint.indexname === undefined)
    .map((one) => ({
      object: one.name,
      message: `constraint ${nameInSql(one.name)} builds its index on ${one.table.sqlName}${rowsText(one.table)} while reads and writes wait`,
      fix: fixFor(one),
    }));
}

export const uniqueWithoutIndex = statementRule({
  id: 'unique-without-index',
  severity: 'warning',
  title: 'UNIQUE or PRIMARY KEY added to a table in use, without USING INDEX',
  impact: 'The index is built under an ACCESS EXCLUSIVE lock: reads and writes wait until the transaction ends.',
  example: {
    before: 'create table invoices (id bigint primary key, number text not null);',
    bad: 'alter table invoices add constraint invoices_number_key unique (number);',
    good: 'create unique index concurrently invoices_number_key on invoices (number);',
    isGoodOutside: true,
  },
  check,
});
