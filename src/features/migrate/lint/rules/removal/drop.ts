import { all, namesOf, statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { ignoring } from '../../fix.js';
import { droppedRelations } from '../../relation-names.js';
import { statementRule, type Fault, type LintedStatement, type Surroundings } from '../../rule.js';
import { alterations, rowsText } from '../parts.js';

const ID = 'drop';
const REASON = 'no released service reads it any more';

const RELATIONS: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'view',
  OBJECT_MATVIEW: 'materialized view',
  OBJECT_FOREIGN_TABLE: 'foreign table',
};

function droppedTables(statement: LintedStatement, { existing }: Surroundings): readonly Fault[] {
  const drop = statementOf('DropStmt', statement);
  const kind = RELATIONS[drop?.removeType ?? ''];
  if (drop?.removeType === 'OBJECT_SCHEMA') {
    return namesOf(drop.objects).map((name) => fault(statement, name, `schema ${nameInSql(name)} is dropped`));
  }
  if (kind === undefined) return [];
  return droppedRelations(statement).flatMap((name) => {
    const relation = existing(name);
    if (relation === undefined) return [];
    return [fault(statement, relation.name, `${kind} ${relation.sqlName}${rowsText(relation)} is dropped`)];
  });
}

function fault(statement: LintedStatement, object: string, message: string): Fault {
  return { object, message, fix: ignoring(ID, REASON, statement.text) };
}

function droppedParts(statement: LintedStatement, { existing, statements }: Surroundings): readonly Fault[] {
  const columns = alterations(statement, 'AT_DropColumn').flatMap(({ relation, command }) => {
    const table = existing(relation);
    const name = command.name ?? '';
    if (table === undefined) return [];
    return [
      fault(
        statement,
        `${table.name}.${name}`,
        `column ${nameInSql(name)} of ${table.sqlName}${rowsText(table)} is dropped`,
      ),
    ];
  });
  const constraints = alterations(statement, 'AT_DropConstraint').flatMap(({ relation, command }) => {
    const table = existing(relation);
    const known = table?.constraints.find(({ name }) => name === command.name);
    const isKey = known !== undefined && ['p', 'u', 'f'].includes(known.type);
    const isReplaced = statements.some((other) =>
      all('AlterTableCmd', statementOf('AlterTableStmt', other)?.cmds).some(
        ({ subtype }) => subtype === 'AT_AddConstraint' && other.text.includes(command.name ?? ' '),
      ),
    );
    if (table === undefined || !isKey || isReplaced) return [];
    const name = command.name ?? '';
    return [fault(statement, `${table.name}.${name}`, `constraint ${nameInSql(name)} of ${table.sqlName} is dropped`)];
  });
  return [...columns, ...constraints];
}

export const drop = statementRule({
  id: ID,
  severity: 'critical',
  title: 'DROP of a table, view, column, key or schema that is there',
  impact:
    'Its data is lost, and every running service that still names it fails. First release services that do not use it, then drop it and say so in an ignore comment.',
  example: {
    before: 'create table invoices (id bigint primary key, note text);',
    bad: 'alter table invoices drop column note;',
    good: `-- aisec-ignore drop: ${REASON}\nalter table invoices drop column note;`,
  },
  check: (statement, surroundings) => [
    ...droppedTables(statement, surroundings),
    ...droppedParts(statement, surroundings),
  ],
});
