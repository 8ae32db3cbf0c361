import { displayName, tableIn, type TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { Finding } from '../../../base/finding.js';
import { nameInSql } from '../../../base/identifier.js';
import { refuseFindings } from '../../../base/refuse-findings.js';
import { readColumns } from '../read/columns.js';
import { type Slice } from '../read/slice.js';

function finding(kind: string, object: string, message: string, impact: string): Finding {
  return { id: `subset-${kind}:${object}`, severity: 'critical', object, message, impact, fix: null };
}

async function tablesWithRows(target: Session, keys: readonly TableKey[]): Promise<readonly TableKey[]> {
  const found: TableKey[] = [];
  for (const key of keys) {
    const { rows } = await target.query(`select 1 from ${key} limit 1`);
    if (rows.length > 0) found.push(key);
  }
  return found;
}

/**
 * Refuses a target that lacks a table or a column, or that has rows already.
 *
 * @throws AisecError SUBSET_REFUSED naming all of them.
 */
export async function requireEmptyTarget(target: Session, slice: Slice, schema: string): Promise<void> {
  const there = await readColumns(target, slice.keys);
  const findings: Finding[] = [];
  for (const key of slice.keys) {
    const has = there.get(key);
    const name = displayName(key);
    if (has === undefined) {
      const impact =
        'its rows cannot be written; give the migrations that make it with --migrations-dir, or leave it out with --without';
      findings.push(finding('table', name, `table ${name} does not exist in ${target.info.label}`, impact));
      continue;
    }
    for (const column of slice.columnsOf.get(key) ?? []) {
      const other = has.find((each) => each.column === column.column);
      if (other?.type === column.type || column.is_generated) continue;
      const message = `column ${name}.${nameInSql(column.column)} has type ${column.type}, in the target ${other?.type ?? 'it does not exist'}`;
      findings.push(finding('column', name, message, 'the target must be at the same migration as the source'));
    }
  }
  if (findings.length === 0)
    for (const key of await tablesWithRows(target, [...slice.keys, tableIn(schema, 'message_keys')])) {
      const name = displayName(key);
      const impact = 'a subset is loaded into empty tables only; create another database';
      findings.push(finding('rows', name, `table ${name} of the target has rows`, impact));
    }
  refuseFindings('SUBSET_REFUSED', `cannot load the subset into ${target.info.label}`, findings);
}
