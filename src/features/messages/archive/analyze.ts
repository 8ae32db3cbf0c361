import { rollBack, type Session, type SideConnection } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { isAisecError } from '../../../base/errors.js';
import type { Reporting } from '../../../base/reporting.js';

const ROOTS = ['messages', 'messages_archive'];
/**
 * Of the sample a third, and of the columns those that have an index: what the planner takes from a root are shares and
 * distinct values for joins; how many rows a condition leaves, it takes from the partitions.
 */
const SAMPLE_SHARE = 3;

/**
 * ANALYZE of a partitioned table reads every partition over again before it samples the whole
 * (https://www.postgresql.org/docs/17/sql-analyze.html), though a month that moves brings its own statistics along. With
 * SKIP_LOCKED it passes over a partition that another session maintains, so a second connection holds them all.
 */
async function holdPartitions(session: Session, searchPath: string): Promise<SideConnection | undefined> {
  const side = await session.openSide();
  if (side === undefined) return undefined;
  try {
    await side.query("select pg_catalog.set_config('search_path', $1, false)", [searchPath]);
    await side.query('begin', []);
    await side.query(sqlFile('archive/hold-partitions'), []);
    return side;
  } catch {
    // Then it takes longer.
    await side.close();
    return undefined;
  }
}

async function analyzeRoot(session: Session, root: string): Promise<void> {
  const { rows } = await session.query<{ column_list: string }>(sqlFile('archive/indexed-columns'), [root]);
  await session.query('begin');
  try {
    await session.query(`lock table only ${root} in share update exclusive mode`);
    await session.query(
      `set local client_min_messages = error;
       select pg_catalog.set_config('default_statistics_target',
         greatest(10, pg_catalog.current_setting('default_statistics_target')::integer / ${SAMPLE_SHARE})::text, true);
       analyze (skip_locked) ${root} (${rows[0]?.column_list ?? 'created_at'});
       commit`,
    );
  } catch (error) {
    await rollBack(session);
    throw error;
  }
}

/**
 * Renews what the planner knows of messages and messages_archive as wholes: autovacuum never does, and a month has left
 * the one and joined the other. A table that is being maintained by others is a warning.
 *
 * @throws AisecError CONNECTION_LOST, INTERRUPTED, TERMINATED, DATABASE_FAILED.
 */
export async function analyzeRoots(session: Session, searchPath: string, reporting: Reporting): Promise<void> {
  const side = await holdPartitions(session, searchPath);
  try {
    for (const root of ROOTS) {
      reporting.onProgress(`analyzing ${root}`);
      try {
        await analyzeRoot(session, root);
      } catch (error) {
        if (!isAisecError(error, 'LOCK_TIMEOUT')) throw error;
        reporting.onWarning(`${root} was not analyzed: ${error.message}`);
      }
    }
  } finally {
    await side?.close();
  }
}
