import { isConcurrent } from '../../../../../adapters/sql-parser/concurrent.js';
import { statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { statementRule } from '../../rule.js';

export const reindexNotConcurrent = statementRule({
  id: 'reindex-not-concurrent',
  severity: 'warning',
  title: 'REINDEX without CONCURRENTLY',
  impact: 'Writes to the table wait until it ends, and reads that would use the index wait, too.',
  example: {
    before:
      'create table invoices (id bigint primary key, status text); create index idx_invoices_status on invoices (status);',
    bad: 'reindex index idx_invoices_status;',
    good: 'reindex index concurrently idx_invoices_status;',
    isGoodOutside: true,
  },
  check: (statement, { existing }) => {
    const reindex = statementOf('ReindexStmt', statement);
    if (reindex === undefined || isConcurrent(statement)) return [];
    const relation = existing(reindex.relation);
    if (reindex.relation !== undefined && relation === undefined) return [];
    const object = relation?.sqlName ?? reindex.name ?? 'the schema';
    const text = statement.text.replace(
      /^(reindex\s*(?:\([^)]*\)\s*)?(?:index|table|schema|database|system))\b/i,
      '$1 concurrently',
    );
    return {
      object,
      message: `${object} is rebuilt without CONCURRENTLY`,
      fix: [{ sql: `${text};`, isOutsideTransaction: true }],
    };
  },
});
