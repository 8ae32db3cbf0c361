import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule, type FixStep } from '../../rule.js';
import { addedConstraints, constraintText, oneLine, rowsText, type AddedConstraint } from '../parts.js';

const NOT_VALID_ON_PARTITIONED = 18;

/** Before 18 a partitioned table takes no NOT VALID: the key of each partition is checked first, and then joined to it. */
function perPartition({ table }: AddedConstraint, name: string, text: string): readonly FixStep[] {
  return [
    { sql: table.partitions.map((part) => `alter table ${part} add constraint ${name} ${text} not valid;`).join('\n') },
    { sql: table.partitions.map((part) => `alter table ${part} validate constraint ${name};`).join('\n') },
    { sql: `alter table ${table.sqlName} add constraint ${name} ${text};` },
  ];
}

export const foreignKeyNotValid = statementRule({
  id: 'foreign-key-not-valid',
  severity: 'warning',
  title: 'a foreign key added to a table in use, without NOT VALID',
  impact:
    'Every row is checked under a SHARE ROW EXCLUSIVE lock on both tables: writes to both wait until the transaction ends.',
  example: {
    before:
      'create table customers (id bigint primary key); create table invoices (id bigint primary key, customer_id bigint); create index idx_invoices_customer_id on invoices (customer_id);',
    bad: 'alter table invoices\n  add constraint invoices_customer_id_fkey foreign key (customer_id) references customers (id) on delete cascade;',
    good: 'alter table invoices\n  add constraint invoices_customer_id_fkey foreign key (customer_id) references customers (id) on delete cascade not valid;',
  },
  check: (statement, surroundings) =>
    addedConstraints(statement, surroundings, 'CONSTR_FOREIGN').flatMap((added) => {
      const { table, constraint } = added;
      const isAttached = table.kind === 'p' && surroundings.effects?.scanned.length === 0;
      if (constraint.skip_validation === true || isAttached) return [];
      const name = nameInSql(added.name);
      const text = oneLine(constraintText(statement, constraint));
      const isRefused = table.kind === 'p' && surroundings.serverMajor < NOT_VALID_ON_PARTITIONED;
      const note = isRefused
        ? `; PostgreSQL before ${NOT_VALID_ON_PARTITIONED} takes no NOT VALID on a partitioned table, so check each partition first`
        : '';
      const steps: readonly FixStep[] = isRefused
        ? perPartition(added, name, text)
        : [
            { sql: `alter table ${table.sqlName} add constraint ${name} ${text} not valid;` },
            { sql: `alter table ${table.sqlName} validate constraint ${name};` },
          ];
      return {
        object: added.name,
        message: `foreign key ${name} checks every row of ${table.sqlName}${rowsText(table)} while writes wait${note}`,
        fix: steps,
      };
    }),
});
