import { statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { waits } from '../../../effects/lock-modes.js';
import { statementRule, type LintedStatement } from '../../rule.js';

/** What takes long by its nature, on tables of whatever age: rows are written or read. */
function isLong(statement: LintedStatement, isScanned: boolean): boolean {
  const writes = ['UpdateStmt', 'DeleteStmt', 'MergeStmt'].includes(statement.node);
  const copies = statementOf('InsertStmt', statement)?.selectStmt !== undefined && /\bselect\b/i.test(statement.text);
  return writes || copies || isScanned;
}

export const workAfterLock = statementRule({
  id: 'work-after-lock',
  severity: 'warning',
  title: 'rows read or written after a lock that makes others wait',
  impact:
    'The lock of the earlier statement is held until the transaction ends, so reads or writes of that table wait for this work as well. Put it into a migration of its own, before or after.',
  example: {
    before:
      'create table customers (id bigint primary key, name text); create table invoices (id bigint primary key, status text);',
    bad: "alter table invoices add column paid boolean;\nupdate customers set name = 'none' where name = '';",
    good: 'alter table invoices add column paid boolean;',
  },
  check: (statement, { effects, effectsBefore, file }) => {
    if (!file.isTransactional || effects === undefined || statement.isNested) return [];
    if (!isLong(statement, effects.scanned.length > 0)) return [];
    const held = effectsBefore.flatMap(({ locks }) => locks).find(({ mode }) => waits(mode) === 'reads and writes');
    if (held === undefined) return [];
    return {
      object: held.relation,
      message: `reads and writes of ${held.relation} wait while this statement runs, since an earlier one locked it`,
      fix: [{ sql: `${statement.text};` }],
    };
  },
});
