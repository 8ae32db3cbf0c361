import { all, statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import type { Effects } from '../../../effects/effects.js';
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

/** The server reads the table once for all parts of one ALTER TABLE. */
export const severalAlters = statementRule({
  id: 'several-alters',
  severity: 'warning',
  title: 'several ALTER TABLE of one table, each of which reads or rewrites it',
  impact: 'Each statement reads or writes the whole table again; in one ALTER TABLE it is done once.',
  example: {
    before: 'create table invoices (id bigint primary key, amount integer, paid integer);',
    bad: '-- aisec-ignore type-change: a small table\nalter table invoices alter column amount type bigint;\n-- aisec-ignore type-change: a small table\nalter table invoices alter column paid type bigint;',
    good: '-- aisec-ignore type-change: a small table\nalter table invoices alter column amount type bigint, alter column paid type bigint;',
  },
  check: (statement, { existing, effects, effectsBefore, statements }) => {
    const alter = statementOf('AlterTableStmt', statement);
    const table = existing(alter?.relation);
    if (table === undefined || effects === undefined || alter === undefined) return [];
    const costs = ({ rewritten, scanned }: typeof effects): boolean =>
      rewritten.includes(table.sqlName) || scanned.includes(table.sqlName);
    if (!costs(effects) || !effectsBefore.some(costs)) return [];
    const earlier = statements.find(
      (other) =>
        other !== statement && statementOf('AlterTableStmt', other)?.relation?.relname === alter.relation?.relname,
    );
    if (earlier === undefined || all('AlterTableCmd', alter.cmds).length === 0) return [];
    const parts = [earlier, statement].map(({ text }) => text.replace(/^alter\s+table\s+(?:only\s+)?\S+\s+/i, ''));
    return {
      object: table.name,
      message: `${table.sqlName} is read or written as a whole a second time`,
      fix: [
        { sql: `-- aisec-ignore type-change: the table is small\nalter table ${table.sqlName} ${parts.join(', ')};` },
      ],
    };
  },
});

function exclusive(effects: readonly Effects[]): ReadonlySet<string> {
  const locks = effects.flatMap((one) => one.locks);
  const tables = locks.filter(({ kind, mode }) => mode === 'AccessExclusiveLock' && ['r', 'p'].includes(kind));
  return new Set(tables.map(({ root }) => root));
}

export const wideLock = statementRule({
  id: 'wide-lock',
  severity: 'warning',
  title: 'ACCESS EXCLUSIVE locks on several tables in one transaction',
  impact:
    'All of them are locked until the last one is done, and a session that takes them in another order ends in a deadlock. One migration a table.',
  example: {
    before: 'create table customers (id bigint primary key); create table invoices (id bigint primary key);',
    bad: 'alter table customers add column note text;\nalter table invoices add column note text;',
    good: 'alter table customers add column note text;',
  },
  check: (statement, { effects, effectsBefore, file }) => {
    if (!file.isTransactional || effects === undefined || statement.isNested) return [];
    const held = exclusive(effectsBefore);
    const added = [...exclusive([effects])].filter((table) => !held.has(table));
    // Once a file: where the second table comes in.
    if (held.size === 1 ? added.length === 0 : held.size > 0 || added.length < 2) return [];
    const tables = [...held, ...added];
    return {
      object: tables.at(-1) ?? '',
      message: `reads and writes of ${tables.slice(0, -1).join(', ')} and ${tables.at(-1) ?? ''} wait at the same time`,
      fix: held.size === 0 ? null : [{ sql: `${statement.text};` }],
    };
  },
});
