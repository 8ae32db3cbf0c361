import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/** A backend ends a moment after its client has gone; only a test that fails waits as long. */
const graceMs = 60_000;

interface Session {
  readonly pid: number;
  readonly application_name: string;
  readonly state: string;
  readonly query: string;
  readonly advisory_locks: number;
}

/** Sessions of aisec that are still open in a database, one line each; empty when it cleaned up after itself. */
export async function findLeaks(server: Pick<pg.Pool, 'query'>, database: string): Promise<readonly string[]> {
  const deadline = Date.now() + graceMs;
  for (;;) {
    const sessions = await readSessions(server, database);
    if (sessions.length === 0 || Date.now() > deadline) return sessions.map(describeSession);
    await sleep(50);
  }
}

async function readSessions(server: Pick<pg.Pool, 'query'>, database: string): Promise<readonly Session[]> {
  const { rows } = await server.query<Session>(
    `select pid,
            application_name,
            coalesce(state, 'unknown') as state,
            left(query, 120) as query,
            (select count(*)::int from pg_locks where pg_locks.pid = activity.pid and locktype = 'advisory') as advisory_locks
     from pg_stat_activity as activity
     where datname = $1
       and application_name like 'aisec%'`,
    [database],
  );
  return rows;
}

function describeSession(session: Session): string {
  const locks = session.advisory_locks > 0 ? `, ${session.advisory_locks} advisory locks` : '';
  return `  ${session.application_name} (pid ${session.pid}, ${session.state}${locks}): ${session.query}`;
}
