export interface LockSession {
  readonly pid: number;
  /** Sessions that it waits for, by pid. */
  readonly blockedBy: readonly number[];
  /** Prepared transactions that it waits for, by name. */
  readonly blockedByPrepared: readonly string[];
  /** Null for one that only blocks. */
  readonly waitingMs: number | null;
  /** What it waits for; null for one that only blocks. */
  readonly lock: string | null;
  readonly database: string | null;
  readonly role: string | null;
  readonly application: string | null;
  readonly state: string | null;
  readonly transactionMs: number | null;
  readonly query: string | null;
}

export interface LockNode extends LockSession {
  /** 0 for a session that waits for no other one. */
  readonly depth: number;
  /** For a root that blocks others: the statement that ends it, which a person must decide on; else null. */
  readonly release: string | null;
}

/** Cancelling ends a statement; a session that is idle in its transaction runs none. */
function releaseOf({ pid, state, waitingMs, blockedBy }: LockSession): string | null {
  if (blockedBy.length > 0 || waitingMs !== null) return null;
  return state === 'active' ? `select pg_cancel_backend(${pid});` : `select pg_terminate_backend(${pid});`;
}

/**
 * Depth first from the sessions that wait for none, each session once. A circle, which the server is about to break, is
 * entered at its first session.
 */
export function lockTree(sessions: readonly LockSession[]): readonly LockNode[] {
  const known = new Set(sessions.map(({ pid }) => pid));
  const isRoot = ({ blockedBy }: LockSession): boolean => !blockedBy.some((pid) => known.has(pid));
  const placed = new Map<number, LockNode>();
  const place = (session: LockSession, depth: number): void => {
    if (placed.has(session.pid)) return;
    placed.set(session.pid, { ...session, depth, release: releaseOf(session) });
    for (const other of sessions) if (other.blockedBy.includes(session.pid)) place(other, depth + 1);
  };
  for (const session of [...sessions.filter(isRoot), ...sessions]) place(session, 0);
  return [...placed.values()];
}
