import { countText } from '../../../base/count.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { Finding } from '../../../base/finding.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { describeDangling } from '../restore/foreign-keys.js';
import { refuseRestore, restoreFinding } from '../restore/findings.js';
import { tableIn, tableKey, type Edge, type TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Unit } from './unit.js';
import { danglingCondition } from './write.js';

/** What becomes of rows that refer to what is neither in the database nor restored. */
export type RowsDanglingRule = 'refuse' | 'leave-out' | 'set-null';

interface Reference {
  readonly edge: Edge;
  readonly unit: Unit;
  readonly parent: Unit | undefined;
}

/** The references that staged rows have, each with what is staged of the table that it leads to. */
export function referencesOf(units: readonly Unit[], edges: readonly Edge[], schema: string): readonly Reference[] {
  // A message that is written gets its key by a trigger.
  const holder = (key: TableKey): string =>
    key === tableIn(schema, 'message_keys') ? tableIn(schema, 'messages') : key;
  return edges.flatMap((edge) => {
    const unit = units.find(({ key }) => key === tableKey(edge));
    if (unit === undefined) return [];
    return [{ edge, unit, parent: units.find(({ key }) => key === holder(tableKey(edge.refersTo))) }];
  });
}

function isNullable({ edge, unit }: Reference): boolean {
  return edge.columns.every((name) => unit.columns.find((each) => each.name === name)?.isNullable === true);
}

/** Settles one reference as asked. Returns how many rows; with `refuse`, they are only counted. */
async function settle(session: Session, reference: Reference, rule: RowsDanglingRule): Promise<number> {
  const { edge, unit, parent } = reference;
  const condition = danglingCondition(edge, unit, parent);
  if (rule === 'refuse' || (rule === 'set-null' && !isNullable(reference))) {
    const { rows } = await session.query<{ rows: string }>(
      `select pg_catalog.count(*) as rows from ${unit.stage} as staged where ${condition}`,
    );
    return Number(rows[0]?.rows);
  }
  const nulls = edge.columns.map((name) => `${quoteIdentifier(name)} = null`).join(', ');
  const change =
    rule === 'leave-out'
      ? `delete from ${unit.stage} as staged where ${condition}`
      : `update ${unit.stage} as staged set ${nulls} where ${condition}`;
  return (await session.query(change)).rowCount;
}

/**
 * Settles the rows that refer to nothing, again and again: others may refer to what was just left out. Returns what was
 * done, one line each.
 *
 * @throws AisecError RESTORE_BLOCKED naming each reference that the rule leaves.
 */
export async function settleReferences(
  session: Session,
  references: readonly Reference[],
  rule: RowsDanglingRule,
): Promise<readonly string[]> {
  const counts = new Map<Edge, number>();
  for (let isMore = true; isMore;) {
    isMore = false;
    for (const reference of references) {
      const rows = await settle(session, reference, rule);
      if (rows === 0) continue;
      counts.set(reference.edge, (counts.get(reference.edge) ?? 0) + rows);
      isMore = rule === 'leave-out' || (rule === 'set-null' && isNullable(reference)) || isMore;
    }
    if (rule === 'refuse') break;
    if (rule === 'set-null' && references.some((each) => counts.has(each.edge) && !isNullable(each))) break;
  }
  const found = [...counts];
  const hinders = (edge: Edge): boolean =>
    rule === 'refuse' || (rule === 'set-null' && references.some((each) => each.edge === edge && !isNullable(each)));
  refuseRestore(
    found
      .filter(([edge]) => hinders(edge))
      .map(([edge, rows]): Finding =>
        restoreFinding('dangling', edge.name, {
          message: describeDangling({ key: edge, rows }),
          impact:
            'what they refer to is neither in the database nor restored; give --dangling leave-out to leave those rows out, or --dangling set-null to restore them without the reference, where it may be null',
        }),
      ),
    'the tables',
  );
  const what = rule === 'leave-out' ? 'left out' : 'set to null';
  return found.map(([edge, rows]) => `${what}: ${describeDangling({ key: edge, rows })}`);
}

/** @throws AisecError RESTORE_BLOCKED when rows are there with other values, and it was not said what is to be done. */
export function refuseDiffering(differing: ReadonlyMap<TableKey, number>): void {
  refuseRestore(
    [...differing]
      .filter(([, rows]) => rows > 0)
      .map(([table, rows]) =>
        restoreFinding('differs', table, {
          message: `${countText(rows, 'row')} of ${table} ${rows === 1 ? 'is' : 'are'} there with other values`,
          impact:
            'give --existing keep to leave them as they are, or --existing overwrite to write the values of the backup',
        }),
      ),
    'the tables',
  );
}
