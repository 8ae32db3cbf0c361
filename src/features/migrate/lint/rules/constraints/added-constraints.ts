import { namesOf } from '../../../../../adapters/sql-parser/nodes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { ignoring } from '../../fix.js';
import { statementRule, type FixStep } from '../../rule.js';
import { partitionedRecipe } from '../indexes/concurrently.js';
import { addedConstraints, columnList, constraintText, oneLine, rowsText, type AddedConstraint } from '../parts.js';

export const checkNotValid = statementRule({
  id: 'check-not-valid',
  severity: 'warning',
  title: 'a check added to a table in use, without NOT VALID',
  impact: 'Every row is read under an ACCESS EXCLUSIVE lock: reads and writes wait until the transaction ends.',
  example: {
    before: 'create table invoices (id bigint primary key, amount numeric);',
    bad: 'alter table invoices add constraint invoices_amount_not_negative check (amount >= 0);',
    good: 'alter table invoices add constraint invoices_amount_not_negative check (amount >= 0) not valid;',
  },
  check: (statement, surroundings) =>
    addedConstraints(statement, surroundings, 'CONSTR_CHECK').flatMap(({ table, constraint, name: given }) => {
      if (constraint.skip_validation === true) return [];
      const name = nameInSql(given);
      const text = oneLine(constraintText(statement, constraint));
      return {
        object: given,
        message: `check ${name} reads every row of ${table.sqlName}${rowsText(table)} while reads and writes wait`,
        fix: [
          { sql: `alter table ${table.sqlName} add constraint ${name} ${text} not valid;` },
          { sql: `alter table ${table.sqlName} validate constraint ${name};` },
        ],
      };
    }),
});

export const excludeConstraint = statementRule({
  id: 'exclude-constraint',
  severity: 'warning',
  title: 'an EXCLUDE constraint added to a table in use',
  impact:
    'Its index is built under an ACCESS EXCLUSIVE lock, and there is no other way: neither NOT VALID nor USING INDEX. Add it in a maintenance window, or to a new table.',
  example: {
    before: 'create table bookings (id bigint primary key, during tstzrange);',
    bad: 'alter table bookings add constraint bookings_no_overlap exclude using gist (during with &&);',
    good: 'create table bookings_new (id bigint primary key, during tstzrange,\n  constraint bookings_no_overlap exclude using gist (during with &&));',
  },
  check: (statement, surroundings) =>
    addedConstraints(statement, surroundings, 'CONSTR_EXCLUSION').map(({ table, name }) => ({
      object: name,
      message: `constraint ${nameInSql(name)} builds its index on ${table.sqlName}${rowsText(table)} while reads and writes wait`,
      fix: ignoring('exclude-constraint', 'runs in the maintenance window', statement.text),
    })),
});

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

function byIndex({ table, constraint, name }: AddedConstraint): readonly FixStep[] {
  const columns = columnList(namesOf(constraint.keys));
  const own = nameInSql(name);
  if (table.kind === 'p') return partitionedRecipe(table, name, `(${columns})`, true);
  const kind = constraint.contype === 'CONSTR_PRIMARY' ? 'primary key' : 'unique';
  return [
    { sql: `create unique index concurrently ${own} on ${table.sqlName} (${columns});`, isOutsideTransaction: true },
    { sql: `alter table ${table.sqlName} add constraint ${own} ${kind} using index ${own};` },
  ];
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
  check: (statement, surroundings) => {
    const added = ['CONSTR_UNIQUE', 'CONSTR_PRIMARY'].flatMap((type) =>
      addedConstraints(statement, surroundings, type),
    );
    return added
      .filter(({ constraint }) => constraint.indexname === undefined)
      .map((one) => ({
        object: one.name,
        message: `constraint ${nameInSql(one.name)} builds its index on ${one.table.sqlName}${rowsText(one.table)} while reads and writes wait`,
        fix: byIndex(one),
      }));
  },
});
