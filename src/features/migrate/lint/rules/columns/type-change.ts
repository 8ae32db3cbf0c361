import { as } from '../../../../../adapters/sql-parser/nodes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule, type FixStep } from '../../rule.js';
import { alterations, rowsText, typeText } from '../parts.js';

function steps(table: string, column: string, type: string): readonly FixStep[] {
  const next = nameInSql(`${column.replaceAll('"', '')}_new`);
  return [{ sql: `alter table ${table} add column ${next} ${type};` }];
}

export const typeChange = statementRule({
  id: 'type-change',
  severity: 'warning',
  title: 'a change of type that rewrites or reads the whole table',
  impact:
    'The table and its indexes are rewritten, or every row is checked, under an ACCESS EXCLUSIVE lock: reads and writes wait. Add a column of the new type, write both, copy the old rows in batches, and switch.',
  example: {
    before: 'create table invoices (id bigint primary key, amount integer, note varchar(20));',
    bad: 'alter table invoices alter column amount type bigint;',
    good: 'alter table invoices alter column note type varchar(50);',
  },
  check: (statement, { existing, effects }) =>
    alterations(statement, 'AT_AlterColumnType').flatMap(({ relation, command }) => {
      const table = existing(relation);
      const old = table?.columns.find(({ name }) => name === command.name);
      // The server itself says what it does: varchar that grows costs nothing, the scale of a numeric does.
      const isRewrite = effects !== undefined && effects.rewritten.length > 0;
      const isRead = effects !== undefined && effects.scanned.length > 0;
      if (table === undefined || (!isRewrite && !isRead)) return [];
      const column = nameInSql(command.name ?? '');
      const type = typeText(as('ColumnDef', command.def)?.typeName);
      const what = isRewrite ? 'rewrites' : 'reads';
      return {
        object: `${table.name}.${command.name ?? ''}`,
        message: `${column} changes from ${old?.type ?? 'its type'} to ${type}, which ${what} all of ${table.sqlName}${rowsText(table)} while reads and writes wait`,
        fix: steps(table.sqlName, column, type),
      };
    }),
});
