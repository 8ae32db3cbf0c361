import type { Circumstances } from '../../adapters/inspection/circumstances.js';
import { readExtension } from '../../adapters/inspection/extension.js';
import { inReadOnly } from '../../adapters/inspection/read-only.js';
import type { Skip } from '../../adapters/inspection/skip.js';
import type { Session } from '../../adapters/postgres/session.js';
import { isAisecError, messageOf } from '../../base/errors.js';
import { groupBy } from '../../base/group-by.js';
import { quoteIdentifier } from '../../base/identifier.js';

/** Of the heap and TOAST of a table, partitions summed; indexes are not in it. Measured by pgstattuple_approx. */
export interface Bloat {
  readonly sizeBytes: number;
  /** Free and dead. */
  readonly unusedBytes: number;
  /** 0 to 1; null when it is empty. */
  readonly share: number | null;
}

interface Measurable {
  readonly root_oid: string;
  readonly oid: string;
  readonly toast_oid: string | null;
  readonly identifier: string;
  readonly is_partitioned: boolean;
}

export interface MeasuredBloat {
  readonly byRoot: ReadonlyMap<string, Bloat>;
  readonly skipped: readonly Skip[];
}

const EXTENSION = 'pgstattuple';
/** For all tables together. */
const BUDGET_MS = 10_000;

async function measureOne(session: Session, schema: string, oid: string): Promise<Omit<Bloat, 'share'>> {
  const { rows } = await inReadOnly(session, () =>
    session.query<{ table_len: string; unused: string }>(
      `select table_len, dead_tuple_len + approx_free_space::bigint as unused from ${schema}.pgstattuple_approx($1::oid)`,
      [oid],
    ),
  );
  return { sizeBytes: Number(rows[0]?.table_len ?? 0), unusedBytes: Number(rows[0]?.unused ?? 0) };
}

async function measureTable(session: Session, schema: string, leaves: readonly Measurable[]): Promise<Bloat> {
  const oids = leaves.flatMap(({ oid, toast_oid: toast }) => (toast === null ? [oid] : [oid, toast]));
  let [sizeBytes, unusedBytes] = [0, 0];
  for (const oid of oids) {
    const part = await measureOne(session, schema, oid);
    sizeBytes += part.sizeBytes;
    unusedBytes += part.unusedBytes;
  }
  return { sizeBytes, unusedBytes, share: sizeBytes === 0 ? null : unusedBytes / sizeBytes };
}

function refusal(error: unknown, identifier: string, schema: string, { role }: Circumstances): Skip {
  const what = `bloat of ${identifier}`;
  if (isAisecError(error, 'PRIVILEGE_MISSING'))
    return {
      what: 'bloat',
      reason: `role ${quoteIdentifier(role)} may not call ${schema}.pgstattuple_approx`,
      remedy: `grant pg_stat_scan_tables to ${quoteIdentifier(role)};`,
    };
  if (isAisecError(error, 'LOCK_TIMEOUT'))
    return { what, reason: 'somebody has a part of it locked', remedy: 'aisec monitor locks tells who' };
  return { what, reason: messageOf(error), remedy: null };
}

/**
 * Free and dead space of each table, by the id of its root. There is no estimate from pg_stats: it is wrong by up to 90 points
 * for a role that does not see them, so what cannot be measured is not known.
 */
export async function measureBloat(
  session: Session,
  rows: readonly Measurable[],
  circumstances: Circumstances,
): Promise<MeasuredBloat> {
  const { schema, isAvailable } = await readExtension(session, EXTENSION);
  if (schema === null) {
    const remedy = isAvailable
      ? `create extension ${EXTENSION};`
      : `install PostgreSQL's contrib package on the server`;
    return {
      byRoot: new Map(),
      skipped: [{ what: 'bloat', reason: `the extension ${EXTENSION} is not installed in this database`, remedy }],
    };
  }
  const byRoot = new Map<string, Bloat>();
  const skipped: Skip[] = [];
  const endMs = performance.now() + BUDGET_MS;
  for (const [rootOid, family] of groupBy(rows, (row) => row.root_oid)) {
    const leaves = family.filter((row) => !row.is_partitioned);
    const identifier = family.find(({ oid }) => oid === rootOid)?.identifier ?? '';
    if (performance.now() > endMs) {
      skipped.push({ what: `bloat of ${identifier}`, reason: 'measuring the others took 10 s', remedy: null });
      continue;
    }
    try {
      byRoot.set(rootOid, await measureTable(session, schema, leaves));
    } catch (error) {
      if (isAisecError(error, 'INTERRUPTED', 'TERMINATED', 'CONNECTION_LOST')) throw error;
      skipped.push(refusal(error, identifier, schema, circumstances));
      if (isAisecError(error, 'PRIVILEGE_MISSING')) break;
    }
  }
  return { byRoot, skipped };
}
