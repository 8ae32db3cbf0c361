import { all, statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { statementRule } from '../../rule.js';

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
