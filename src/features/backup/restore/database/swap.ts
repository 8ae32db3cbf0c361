import { AisecError, isAisecError } from '../../../../base/errors.js';
import { formatDurationMs } from '../../../../base/duration.js';
import { quoteIdentifier } from '../../../../base/identifier.js';
import { withTransaction, type Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { copyDatabaseProperties } from './database-properties.js';

export interface Swap {
  /** The database that is replaced, by its name. */
  readonly live: string;
  readonly working: string;
  /** What the live one is called afterwards. */
  readonly before: string;
  /** Whether the sessions of others are ended. */
  readonly terminates: boolean;
}

interface SessionRow {
  readonly pid: number;
  readonly role_name: string;
  readonly application_name: string;
  readonly client_address: string | null;
  readonly state: string;
  readonly connected_ms: string;
}

const TERMINATE_EVERY_MS = 200;

/** The sessions on a database, one line each. */
export async function sessionsOn(session: Session, database: string): Promise<readonly string[]> {
  const { rows } = await session.query<SessionRow>(sqlFile('backup/sessions'), [database]);
  return rows.map((row) => {
    const program = row.application_name === '' ? '' : ` "${row.application_name}"`;
    const from = row.client_address === null ? '' : ` from ${row.client_address}`;
    return `pid ${row.pid}${program} of role "${row.role_name}"${from}, ${row.state}, connected for ${formatDurationMs(Number(row.connected_ms))}`;
  });
}

/** DETAIL that names the first few. */
export function sessionsDetail(sessions: readonly string[]): string {
  const shown = sessions.slice(0, 5).join('; ');
  return sessions.length > 5 ? `${shown}; and ${sessions.length - 5} more.` : `${shown}.`;
}

/**
 * Ends the sessions on a database again and again while the callback runs: RENAME takes its lock first, so that no session
 * new comes in, and then waits 5 s for those that are there. `workers`: what extensions keep there alone, such as the daemon
 * that Citus starts in every database.
 */
async function whileTerminating(
  session: Session,
  database: string,
  whom: 'all' | 'workers',
  run: () => Promise<void>,
): Promise<void> {
  const side = await session.openSide();
  let isOver = false;
  const terminate = async (): Promise<void> => {
    while (!isOver) {
      await side?.query(sqlFile('backup/terminate'), [database, whom === 'workers']).catch(() => undefined);
      await new Promise((resolve) => {
        setTimeout(resolve, TERMINATE_EVERY_MS);
      });
    }
  };
  const terminating = terminate();
  try {
    await run();
  } finally {
    isOver = true;
    await terminating;
    await side?.close();
  }
}

/** @throws AisecError with SQLSTATE 55006 while sessions are connected to it. */
export async function renameDatabase(session: Session, from: string, to: string, terminates = false): Promise<void> {
  const rename = async (): Promise<void> => {
    await session.query(`alter database ${quoteIdentifier(from)} rename to ${quoteIdentifier(to)}`);
  };
  if (terminates) await whileTerminating(session, from, 'all', rename);
  else if (session.info.runsCitus === true) await whileTerminating(session, from, 'workers', rename);
  else await rename();
}

/**
 * Puts the working database in the place of the live one, in one transaction: killed at any moment, either both have
 * their new names or neither has. Owner, grants and settings of the live database go over to the new one.
 *
 * @throws AisecError RUN_LOCKED naming the sessions that are in the way.
 */
export async function swapDatabases(session: Session, swap: Swap): Promise<void> {
  const { live, working, before } = swap;
  try {
    await withTransaction(session, async () => {
      await copyDatabaseProperties(session, live, working);
      await renameDatabase(session, live, before, swap.terminates);
      await renameDatabase(session, working, live);
    });
  } catch (error) {
    if (!isAisecError(error) || error.sqlState !== '55006') throw error;
    const sessions = await sessionsOn(session, live);
    throw new AisecError('RUN_LOCKED', `database ${quoteIdentifier(live)} is in use, so it was not replaced`, {
      detail: sessions.length === 0 ? error.detail : sessionsDetail(sessions),
      hint: 'The restored database is kept, ready. Run the same command again, with --terminate to end those sessions: it only swaps.',
      cause: error,
    });
  }
}
