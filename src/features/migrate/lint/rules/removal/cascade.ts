import { all, statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { ignoring } from '../../fix.js';
import { statementRule } from '../../rule.js';
import { rowsText } from '../parts.js';

export const dropCascade = statementRule({
  id: 'drop-cascade',
  severity: 'critical',
  title: 'DROP … CASCADE',
  impact:
    'Every object that depends on it is dropped, too: views, foreign keys, policies, also those of other teams. Without CASCADE the statement fails and names them.',
  example: {
    before: 'create table invoices (id bigint primary key); create view open_invoices as select id from invoices;',
    bad: '-- aisec-ignore drop: replaced by billing\ndrop table invoices cascade;',
    good: '-- aisec-ignore drop: replaced by billing\ndrop view open_invoices;\n-- aisec-ignore drop: replaced by billing\ndrop table invoices;',
  },
  check: (statement, { existing }) => {
    const drop = statementOf('DropStmt', statement);
    const alter = all('AlterTableCmd', statementOf('AlterTableStmt', statement)?.cmds);
    const isDrop = drop?.behavior === 'DROP_CASCADE';
    const isPart = alter.some(
      ({ subtype, behavior }) => subtype?.startsWith('AT_Drop') === true && behavior === 'DROP_CASCADE',
    );
    const relation = statementOf('AlterTableStmt', statement)?.relation;
    if (!isDrop && !(isPart && existing(relation) !== undefined)) return [];
    const without = statement.text.replace(/\s+cascade\s*$/i, '');
    return {
      object: without.split(/\s+/).slice(0, 3).join(' '),
      message: 'CASCADE drops whatever depends on it, named nowhere in this file',
      fix: ignoring('drop-cascade', 'what depends on it was looked at', statement.text).map(({ sql }) => ({
        sql: `-- aisec-ignore drop: no released service reads it any more\n${sql}`,
      })),
    };
  },
});

export const truncate = statementRule({
  id: 'truncate',
  severity: 'critical',
  title: 'TRUNCATE of a table that is there',
  impact:
    'Every row is lost, policies do not apply, and the ACCESS EXCLUSIVE lock makes reads and writes wait. With CASCADE the rows of all tables that refer to it are lost, too.',
  example: {
    before: 'create table invoices (id bigint primary key);',
    bad: 'truncate invoices;',
    good: '-- aisec-ignore truncate: the rows are test data\ntruncate invoices;',
  },
  check: (statement, { existing }) =>
    all('RangeVar', statementOf('TruncateStmt', statement)?.relations).flatMap((name) => {
      const table = existing(name);
      if (table === undefined) return [];
      return {
        object: table.name,
        message: `every row of ${table.sqlName}${rowsText(table)} is deleted`,
        fix: ignoring('truncate', 'the rows are not needed', statement.text),
      };
    }),
});
