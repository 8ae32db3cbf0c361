import { withTransaction, type Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { quoteLiteral } from '../../../../base/identifier.js';
import { DIFFERENCES, differencesTable, MIRROR, mirrorFunction, TRUNCATED, truncationFunction } from './objects.js';
import { ROUTER } from './load.js';

/** What a drain that did not end has left. */
export interface Leftovers {
  /** Tables, quoted. */
  readonly tables: readonly string[];
  /** Tables with a trigger of the drain, quoted. */
  readonly mirrored: readonly string[];
  readonly functions: readonly string[];
}

/** Looks for leftovers; empty arrays when there are none. Reads the catalog only. */
export async function findLeftovers(session: Session): Promise<Leftovers> {
  const { rows } = await session.query<Leftovers>(sqlFile('partitions/drain-leftovers'), [
    [ROUTER, DIFFERENCES],
    [MIRROR, TRUNCATED],
  ]);
  return rows[0] ?? { tables: [], mirrored: [], functions: [] };
}

export function hasLeftovers({ tables, mirrored, functions }: Leftovers): boolean {
  return tables.length + mirrored.length + functions.length > 0;
}

/**
 * Drops what a drain that did not end has left, in one transaction; none of it is a partition. Until then every change of the
 * default partition is made to the copies as well, so that they hold no row that was deleted.
 *
 * @throws AisecError LOCK_TIMEOUT: then all of it is still there, and does no harm but cost.
 */
export async function dropLeftovers(session: Session, schema: string): Promise<void> {
  const leftovers = await findLeftovers(session);
  if (!hasLeftovers(leftovers)) return;
  const { tables, mirrored } = leftovers;
  await withTransaction(session, async () => {
    await session.query('set transaction isolation level read committed; select aisec_begin_message_maintenance()');
    const locked = [...mirrored, ...tables].map(quoteLiteral).join(', ');
    if (locked !== '')
      await session.query(
        `select aisec_lock_tables(locked.relations, array_fill('access exclusive'::text, array[cardinality(locked.relations)]))
         from (select aisec_message_reference_tables() || array[${locked}]::regclass[] as relations) as locked`,
      );
    await session.query(
      [
        ...mirrored.flatMap((table) => [
          `drop trigger if exists ${MIRROR} on ${table}`,
          `drop trigger if exists ${TRUNCATED} on ${table}`,
        ]),
        `drop function if exists ${mirrorFunction(schema)}`,
        `drop function if exists ${truncationFunction(schema)}`,
        `drop table if exists ${[...tables, differencesTable(schema)].join(', ')}`,
      ].join(';\n'),
    );
  });
}
