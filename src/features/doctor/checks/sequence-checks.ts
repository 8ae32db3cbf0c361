import { listed } from '../../../base/count.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { nameInSql, quoteIdentifier } from '../../../base/identifier.js';
import type { Check, Fault, Outcome, Subject } from '../check.js';
import { qualified } from '../names.js';

const WARNING_SHARE = 0.75;
const CRITICAL_SHARE = 0.9;

interface SequenceRow {
  readonly name: string;
  readonly is_readable: boolean;
  readonly type: string;
  readonly used: number | null;
  readonly table_name: string | null;
  readonly column_name: string | null;
  readonly column_type: string | null;
}

function widen(
  schema: string,
  { name, type, table_name: table, column_name: column, column_type: columnType }: SequenceRow,
): string {
  const sequence = qualified(schema, name);
  const statements = [
    ...(table !== null && column !== null && columnType !== 'bigint'
      ? [`alter table ${qualified(schema, table)} alter column ${quoteIdentifier(column)} type bigint;`]
      : []),
    type === 'bigint' ? `alter sequence ${sequence} no maxvalue;` : `alter sequence ${sequence} as bigint;`,
  ];
  return statements.join('\n');
}

async function examineSequences({ session, schema }: Subject): Promise<Outcome> {
  const { rows } = await session.query<SequenceRow>(sqlFile('doctor/sequences'), [schema]);
  const faults = rows
    .filter(({ used }) => used !== null && used >= WARNING_SHARE)
    .map((row): Fault => {
      const used = row.used ?? 0;
      const of = row.table_name === null ? '' : ` of ${nameInSql(row.table_name)}.${nameInSql(row.column_name ?? '')}`;
      return {
        object: nameInSql(row.name),
        severity: used >= CRITICAL_SHARE ? 'critical' : 'warning',
        message: `sequence ${nameInSql(row.name)}${of} has used ${Math.floor(used * 100)} % of its numbers`,
        impact: 'after the last one every insert fails',
        fix: widen(schema, row),
      };
    });
  const hidden = rows.filter((row) => !row.is_readable).map(({ name }) => nameInSql(name));
  if (faults.length === 0 && hidden.length > 0)
    return { skipped: `this role may not see how far ${listed(hidden)} has come`, lacksGrant: true };
  return faults;
}

export const SEQUENCE_CHECKS: readonly Check[] = [
  {
    id: 'sequence-end',
    area: 'sequences',
    severity: 'warning',
    title: `sequences past ${WARNING_SHARE * 100} % of what they or their column can count; critical past ${CRITICAL_SHARE * 100} %`,
    grant: (schema, role) => `grant select on all sequences in schema ${schema} to ${role};`,
    examine: examineSequences,
  },
];
