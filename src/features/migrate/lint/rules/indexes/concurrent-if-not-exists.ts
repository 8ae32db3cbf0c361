import { statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule } from '../../rule.js';

export const concurrentIfNotExists = statementRule({
  id: 'concurrent-if-not-exists',
  severity: 'warning',
  title: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS',
  impact:
    'A build that was stopped leaves an INVALID index of that name, which counts as there: the migration succeeds, and no query uses the index. `aisec migrate up` rebuilds an INVALID index by itself, without IF NOT EXISTS.',
  example: {
    before: 'create table invoices (id bigint primary key, status text);',
    bad: 'create index concurrently if not exists idx_invoices_status on invoices (status);',
    isBadOutside: true,
    good: 'create index concurrently idx_invoices_status on invoices (status);',
    isGoodOutside: true,
  },
  check: (statement) => {
    const index = statementOf('IndexStmt', statement);
    if (index?.concurrent !== true || index.if_not_exists !== true) return [];
    const text = statement.text.replace(/\bif\s+not\s+exists\s+/i, '');
    const name = index.idxname ?? '';
    return {
      object: name,
      message: `IF NOT EXISTS hides an INVALID index ${nameInSql(name)}`,
      fix: [{ sql: `${text};`, isOutsideTransaction: true }],
    };
  },
});
