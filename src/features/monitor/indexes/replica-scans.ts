import { readReportHeader, type ReportHeader } from '../inspection/report-header.js';
import { inReadOnly } from '../inspection/read-only.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import { readIndexFacts } from './index-facts.js';

/** Another server of the same data. */
export interface Replica {
  /** Host and database. */
  readonly server: string;
  /** A copy of this server, block by block; else, as with logical replication, indexes are known by their names. */
  readonly isStandby: boolean;
  /** RFC 3339; null when not reported by the server. */
  readonly countersSince: string | null;
  /** How long its counters have counted. */
  readonly windowMs: number | null;
}

/** How often each index was scanned there. */
export interface ReplicaScans {
  readonly replica: Replica;
  /** By identifier of the index. */
  readonly scans: ReadonlyMap<string, { readonly count: number; readonly lastScanAt: string | null }>;
}

/** How long the counters have counted; null when not reported by the server. */
export function windowMsOf({ takenAt, countersSince }: ReportHeader): number | null {
  return countersSince === null ? null : Math.max(0, Date.parse(takenAt) - Date.parse(countersSince));
}

/** Which server a session is on. */
export interface ServerIdentity {
  /** Given to a server when it is made, and kept by the copies of its files. */
  readonly system: string;
  /** Of this one, and of none of its copies. */
  readonly startedAt: string;
}

export async function readServerIdentity(session: Session): Promise<ServerIdentity> {
  const { rows } = await inReadOnly(session, () =>
    session.query<ServerIdentity>(
      `select system_identifier::text as system, pg_catalog.pg_postmaster_start_time()::text as "startedAt"
       from pg_catalog.pg_control_system()`,
    ),
  );
  const [identity] = rows;
  if (identity === undefined) throw new Error('the server did not say which one it is');
  return identity;
}

/**
 * @param main the server that the replica is one of
 * @throws AisecError USAGE when it is that server itself: its scans would count twice.
 */
export async function readReplicaScans(replica: Session, schema: string, main: ServerIdentity): Promise<ReplicaScans> {
  const header = await readReportHeader(replica, schema);
  const { system, startedAt } = await readServerIdentity(replica);
  if (system === main.system && startedAt === main.startedAt)
    throw new AisecError('USAGE', `--replica: ${replica.info.label} is the server itself, not a replica of it`, {
      hint: 'Name the host and port of the replica.',
    });
  const facts = await readIndexFacts(replica, schema);
  return {
    replica: {
      server: replica.info.label,
      isStandby: system === main.system,
      countersSince: header.countersSince,
      windowMs: windowMsOf(header),
    },
    scans: new Map(facts.map(({ identifier, scans: count, lastScanAt }) => [identifier, { count, lastScanAt }])),
  };
}
