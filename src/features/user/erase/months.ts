import { tableIn } from '../../../adapters/catalog/references/reference.js';
import type { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { Month } from '../../../base/month.js';
import { monthsOfRows, qualifiedName, readPartitions } from '../../messages/index.js';

/**
 * The months of the chosen messages, live and archived. A partition with the bounds of one month is that month, whatever
 * it is called; in the default partition, and in one with other bounds, the rows are asked.
 */
export async function monthsOf(session: Session, choice: ChosenRows, schema: string): Promise<readonly Month[]> {
  const { partitions } = await readPartitions(session, schema);
  const names = await session.query<{ oid: string | null; partition: string }>(
    // One that was archived since has another name, and its rows are asked.
    `select pg_catalog.to_regclass(partition)::oid::text as oid, partition from pg_catalog.unnest($1::text[]) as partition`,
    [partitions.map(qualifiedName)],
  );
  const byOid = new Map<string | null, Month | null | undefined>(
    names.rows.map(({ oid, partition }) => [oid, partitions.find((each) => qualifiedName(each) === partition)?.month]),
  );
  const months = new Set<Month>();
  for (const key of [tableIn(schema, 'messages'), tableIn(schema, 'messages_archive')])
    for (const part of await choice.parts(key)) {
      const month = byOid.get(part.oid);
      const found = month ? [month] : await monthsOfRows(session, choice.joinPart(key, part, 'source'));
      for (const each of found) months.add(each);
    }
  return [...months].toSorted();
}
