import { tableIn, type TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { firstDay, parseMonth, type Month } from '../../../base/month.js';
import { readPartitions, type PartitionSet } from '../../messages/index.js';
import type { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import { type UnitPlan } from './unit.js';

/** Messages go where their month is now: to the archive where it has the month, else to messages. */
export async function messagesPlan(session: Session, schema: string, sources: readonly TableKey[]): Promise<UnitPlan> {
  const { partitions } = await readPartitions(session, schema);
  const archived = partitions
    .filter(({ root, isDefault }) => root === 'messages_archive' && !isDefault)
    .map(
      ({ lowerBound, upperBound }) =>
        `staged.created_at >= ${quoteLiteral(lowerBound ?? '-infinity')} and staged.created_at < ${quoteLiteral(upperBound ?? 'infinity')}`,
    );
  const isArchived = archived.length === 0 ? 'false' : `(${archived.join(' or ')})`;
  const [live, archive] = [tableIn(schema, 'messages'), tableIn(schema, 'messages_archive')];
  return {
    key: tableIn(schema, 'messages'),
    sources,
    lookIn: [live, archive],
    // The references of messages are looked at last, those of the archive at once.
    targets: [
      { table: live, condition: `not ${isArchived}` },
      { table: archive, condition: isArchived },
    ],
  };
}

function isCovered({ partitions }: PartitionSet, month: Month): boolean {
  const middle = `${month}-15T00:00:00Z`;
  return partitions.some(
    ({ isDefault, lowerBound, upperBound }) =>
      !isDefault &&
      (lowerBound === '-infinity' || (lowerBound ?? '') <= middle) &&
      (upperBound === 'infinity' || (upperBound ?? '') > middle),
  );
}

async function monthsOf(session: Session, choice: ChosenRows, source: TableKey): Promise<readonly Month[]> {
  const { rows } = await session.query<{ month: string }>(
    `select distinct pg_catalog.to_char(scratch.created_at at time zone 'UTC', 'YYYY-MM') as month
     from ${choice.join(source)} where pg_catalog.isfinite(scratch.created_at)`,
  );
  return rows.flatMap(({ month }) => parseMonth(month) ?? []).toSorted();
}

/** Makes the months of the chosen messages that no partition covers, on the side where the backup had them. Returns warnings. */
export async function makeMonths(session: Session, schema: string, choice: ChosenRows): Promise<readonly string[]> {
  const warnings: string[] = [];
  const inSchema = quoteIdentifier(schema);
  for (const root of ['messages_archive', 'messages'] as const)
    for (const month of await monthsOf(session, choice, tableIn(schema, root))) {
      if (isCovered(await readPartitions(session, schema), month)) continue;
      if (root === 'messages_archive') {
        await session.query(`select ${inSchema}.aisec_ensure_archive_month($1)`, [firstDay(month)]);
        continue;
      }
      const { rows } = await session.query<{ problem: string | null }>(
        `select problem from ${inSchema}.aisec_make_message_partitions(array[$1::date])`,
        [firstDay(month)],
      );
      const problem = rows[0]?.problem ?? null;
      if (problem !== null)
        warnings.push(`partition of ${month} was not made: ${problem}; its messages are in the default partition`);
    }
  return warnings;
}
