import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { quoteLiteral } from '../../../base/identifier.js';
import type { LockNode } from '../lock-tree.js';
import { readLocks, type Locks } from '../locks.js';
import type { LiveCheck, LiveFault } from './check.js';
import { inDatabase, whose } from './names.js';
import { levelOf, scaled, worstOf, type Thresholds } from './thresholds.js';

/** A session or prepared transaction that waits for no other, and all that wait behind it. */
interface Chain {
  readonly root: LockNode | null;
  readonly prepared: string | null;
  readonly waiters: readonly LockNode[];
}

/** The tree is depth first: what follows a root belongs to it until the next one. */
function chainsOf(nodes: readonly LockNode[]): readonly Chain[] {
  const chains: { root: LockNode | null; prepared: string | null; waiters: LockNode[] }[] = [];
  for (const node of nodes) {
    if (node.depth > 0) {
      chains.at(-1)?.waiters.push(node);
      continue;
    }
    const [prepared = null] = node.blockedByPrepared;
    const isFirst = node.waitingMs === null;
    const known = prepared === null ? undefined : chains.find((chain) => chain.prepared === prepared);
    if (known !== undefined) known.waiters.push(node);
    else chains.push({ root: isFirst ? node : null, prepared, waiters: isFirst ? [] : [node] });
  }
  return chains;
}

function faultOf(
  { root, prepared, waiters }: Chain,
  { preparedTransactions }: Locks,
  thresholds: Thresholds,
): LiveFault | undefined {
  const [first] = waiters;
  if (first === undefined) return undefined;
  const longestMs = Math.max(...waiters.map(({ waitingMs }) => waitingMs ?? 0));
  const severity = worstOf(
    levelOf(longestMs, thresholds['blocked-time']),
    levelOf(waiters.length, thresholds['blocked-sessions']),
  );
  if (severity === undefined) return undefined;
  const awaited = `${countText(waiters.length, 'session')} for up to ${formatDurationMs(longestMs)}; the first waits for ${first.lock ?? 'a lock'}`;
  const impact = 'the sessions behind it stand still, and new ones join them until no connection is left';
  if (root !== null) {
    const since = root.transactionMs === null ? '' : `, in a transaction for ${formatDurationMs(root.transactionMs)}`;
    return {
      object: `pid ${root.pid}`,
      severity,
      message: `session ${root.pid}${whose(root)}, ${root.state ?? 'state hidden'}${since}, blocks ${awaited}`,
      impact,
      fix: root.release ?? `select pg_terminate_backend(${root.pid});`,
    };
  }
  if (prepared === null) return undefined;
  const of = preparedTransactions.find(({ name }) => name === prepared);
  return {
    object: prepared,
    severity,
    message: `prepared transaction ${prepared} blocks ${awaited}`,
    impact,
    fix: inDatabase(of?.database ?? null, of?.isHere !== false, `rollback prepared ${quoteLiteral(prepared)};`),
  };
}

export const BLOCKED: LiveCheck = {
  id: 'sessions-blocked',
  area: 'live',
  severity: 'warning',
  title: 'sessions that wait for a lock, with the one at the root of the chain',
  look: async ({ session, thresholds }) => {
    const locks = await readLocks(session);
    const waiting = locks.sessions.filter(({ waitingMs }) => waitingMs !== null);
    return {
      faults: chainsOf(locks.sessions).map((chain) => faultOf(chain, locks, thresholds)),
      gauges: [
        {
          name: 'aisec_sessions_blocked',
          help: 'Sessions of the server that wait for a lock.',
          value: locks.waiting,
          threshold: thresholds['blocked-sessions'],
        },
        {
          name: 'aisec_longest_lock_wait_seconds',
          help: 'How long the one that has waited longest for a lock has waited; 0 when none waits.',
          value: Math.max(0, ...waiting.map(({ waitingMs }) => waitingMs ?? 0)) / 1000,
          threshold: scaled(thresholds['blocked-time'], 0.001),
        },
      ],
    };
  },
};
