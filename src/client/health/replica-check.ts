import type { ReplicaProbe } from '../../adapters/postgres/pool/replicas.js';
import { formatBytes } from '../../base/bytes.js';
import { formatDurationMs } from '../../base/duration.js';
import { messageOf } from '../../base/errors.js';
import type { HealthCheck } from './health-check.js';

/** As `aisec monitor` warns of it. */
const WARN_FROM_MS = 60_000;

/** @param position up to where the primary has flushed the log; undefined: it did not answer. */
export function replicaCheck({ host, port, probed }: ReplicaProbe, position: bigint | undefined): HealthCheck {
  const name = `replica ${host}:${port}`;
  const warn = (what: string): HealthCheck => ({
    name,
    status: 'warn',
    message: `${what}: the primary serves its reads`,
  });
  if (probed === undefined) return warn('it failed a moment ago and is left out');
  const { error, isBusy, isSilent, state, durationMs } = probed;
  if (error !== undefined) return warn(messageOf(error));
  if (isBusy === true || isSilent === true || state === undefined) return warn('it did not answer in time');
  if (state.replayedAgeMs === null && !state.isReadOnly) return warn('it is no standby');
  if (position === undefined) return { name, status: 'pass', durationMs };
  const lagBytes = Math.max(0, Number(position - state.position));
  const lagMs = lagBytes === 0 ? 0 : (state.replayedAgeMs ?? undefined);
  const measured = { name, durationMs, lagBytes, ...(lagMs !== undefined && { lagMs }) };
  if (lagMs === undefined || lagMs < WARN_FROM_MS) return { ...measured, status: 'pass' };
  const message = `it is ${formatBytes(lagBytes)} of WAL behind; its last commit is ${formatDurationMs(lagMs)} old`;
  return { ...measured, status: 'warn', message };
}
