import { statementRule } from '../../rule.js';

export const rowsViolate = statementRule({
  id: 'rows-violate',
  severity: 'critical',
  title: 'a constraint that rows which are there do not meet',
  impact:
    'The migration fails, after it has read the table. The rows are counted on the connected server, read-only; without one those that earlier migrations have written.',
  example: {
    before:
      "create table invoices (id bigint primary key, status text);\ninsert into invoices (id, status) values (1, 'open'), (2, null), (3, null);",
    bad: 'alter table invoices alter column status set not null;',
    good: "update invoices set status = 'open' where status is null;\nalter table invoices alter column status set not null;",
  },
  check: (_statement, { violations }) =>
    violations.map(({ object, count, isOne, table, query }) => ({
      object,
      message: `${count} ${isOne ? 'row' : 'rows'} of ${table} would make ${object} fail; see them: ${query}`,
      fix: null,
    })),
});
