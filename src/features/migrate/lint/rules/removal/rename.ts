import { statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { ignoring } from '../../fix.js';
import { statementRule, type FixStep } from '../../rule.js';

const ID = 'rename';
const WHAT: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'view',
  OBJECT_MATVIEW: 'materialized view',
  OBJECT_COLUMN: 'column',
  OBJECT_SCHEMA: 'schema',
};

export const rename = statementRule({
  id: ID,
  severity: 'critical',
  title: 'RENAME of a table, column, view, schema or enum value in use',
  impact:
    'The old name is gone at once: every running service that uses it fails until its next release, and so do the types of `aisec/schema`.',
  example: {
    before: 'create table invoices (id bigint primary key, note text);',
    bad: 'alter table invoices rename column note to remark;',
    good: 'alter table invoices add column remark text;',
  },
  check: (statement, { existing }) => {
    const renaming = statementOf('RenameStmt', statement);
    const enumeration = statementOf('AlterEnumStmt', statement);
    if (enumeration?.oldVal !== undefined)
      return {
        object: enumeration.oldVal,
        message: `enum value '${enumeration.oldVal}' is renamed to '${enumeration.newVal ?? ''}'`,
        fix: ignoring(ID, 'no released service uses the old value', statement.text),
      };
    const kind = WHAT[renaming?.renameType ?? ''];
    const relation = existing(renaming?.relation);
    if (kind === undefined || renaming === undefined || (relation === undefined && kind !== 'schema')) return [];
    const old = kind === 'column' ? (renaming.subname ?? '') : (relation?.name ?? renaming.subname ?? '');
    const next = nameInSql(renaming.newname ?? '');
    const type = relation?.columns.find(({ name }) => name === old)?.type;
    const steps: readonly FixStep[] =
      kind === 'column' && relation !== undefined && type !== undefined
        ? [{ sql: `alter table ${relation.sqlName} add column ${next} ${type};` }]
        : ignoring(ID, 'no released service uses the old name', statement.text);
    const where = kind === 'column' ? ` of ${relation?.sqlName ?? ''}` : '';
    return [{ object: old, message: `${kind} ${nameInSql(old)}${where} is renamed to ${next}`, fix: steps }];
  },
});
