import { statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { droppedRelations } from '../../relation-names.js';
import { statementRule } from '../../rule.js';

export const dropIndexNotConcurrent = statementRule({
  id: 'drop-index-not-concurrent',
  severity: 'warning',
  title: 'DROP INDEX on a table in use, without CONCURRENTLY',
  impact:
    'It takes an ACCESS EXCLUSIVE lock on the table: reads and writes wait for it, and it waits for the longest query, until the transaction ends.',
  example: {
    before:
      'create table invoices (id bigint primary key, status text); create index idx_invoices_status on invoices (status);',
    bad: 'drop index idx_invoices_status;',
    good: 'drop index concurrently idx_invoices_status;',
    isGoodOutside: true,
  },
  check: (statement, { existing }) => {
    const drop = statementOf('DropStmt', statement);
    if (drop?.removeType !== 'OBJECT_INDEX' || drop.concurrent === true) return [];
    return droppedRelations(statement).flatMap((name) => {
      const index = existing(name);
      // The index of a partitioned table, and those attached to it, take no CONCURRENTLY.
      if (index === undefined || index.kind === 'I' || index.parent !== null) return [];
      return {
        object: index.name,
        message: `index ${index.sqlName} of ${index.indexedTable ?? 'its table'} is dropped without CONCURRENTLY`,
        fix: [{ sql: `drop index concurrently ${index.sqlName};`, isOutsideTransaction: true }],
      };
    });
  },
});
