import { notSeen } from '../inspection/skip.js';
import type { Finding } from '../../../base/finding.js';
import type { ReportHeader } from '../inspection/report-header.js';
import { readExtension } from '../inspection/extension.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { endsRun, isAisecError, messageOf } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';

export interface Space {
  readonly sizeBytes: number;
  /** Free and dead. */
  readonly unusedBytes: number;
}

/** Of all parts of a table or an index together. */
export interface Bloat extends Space {
  /** 0 to 1; null when it is empty. */
  readonly share: number | null;
}

/** What is measured part by part and reported as one. */
export interface Measurable {
  readonly key: string;
  /** As SQL takes it. */
  readonly identifier: string;
  readonly oids: readonly string[];
}

export interface MeasuredBloat {
  /** By key; what is missing was not measured. */
  readonly bloat: ReadonlyMap<string, Bloat>;
  /** By key: why there is not a number. */
  readonly unknown: ReadonlyMap<string, string>;
  readonly skipped: readonly Finding[];
}

/** One function of pgstattuple, and how to call it. */
export interface Meter {
  readonly functionName: string;
  /** `schema` is that of the extension, quoted. */
  readonly measure: (session: Session, schema: string, oid: string) => Promise<Space>;
}

export const NOT_MEASURED: MeasuredBloat = { bloat: new Map(), unknown: new Map(), skipped: [] };

const EXTENSION = 'pgstattuple';
/** For all of them together. */
const BUDGET_MS = 10_000;
const QUERY_CANCELED = '57014';

async function sumUp(
  session: Session,
  schema: string,
  oids: readonly string[],
  measure: Meter['measure'],
): Promise<Bloat> {
  let [sizeBytes, unusedBytes] = [0, 0];
  for (const oid of oids) {
    const part = await measure(session, schema, oid);
    sizeBytes += part.sizeBytes;
    unusedBytes += part.unusedBytes;
  }
  return { sizeBytes, unusedBytes, share: sizeBytes === 0 ? null : unusedBytes / sizeBytes };
}

function reasonOf(error: unknown): string {
  if (isAisecError(error, 'LOCK_TIMEOUT')) return 'another session has a part of it locked';
  if (isAisecError(error) && error.sqlState === QUERY_CANCELED) return 'reading it takes more than 10 s';
  return messageOf(error);
}

/** `brief` stands at each of them, the skip is reported once. */
function nothing(
  measurables: readonly Measurable[],
  brief: string,
  message: string,
  fix: string | null,
): MeasuredBloat {
  return {
    bloat: new Map(),
    unknown: new Map(measurables.map(({ key }) => [key, brief])),
    skipped: [notSeen('bloat', message, fix)],
  };
}

/**
 * Free and dead space by pgstattuple, in at most 10 s. There is no estimate from pg_stats: it is wrong by up to 90 points
 * for a role that does not see them, so what cannot be measured is not known.
 */
export async function measureAll(
  session: Session,
  measurables: readonly Measurable[],
  { role }: ReportHeader,
  { functionName, measure }: Meter,
): Promise<MeasuredBloat> {
  const { schema, isAvailable } = await readExtension(session, EXTENSION);
  if (schema === null) {
    const message = isAvailable
      ? `the extension ${EXTENSION} is not installed in this database`
      : `the server does not have the extension ${EXTENSION}, which is in PostgreSQL's contrib package`;
    return nothing(measurables, `no ${EXTENSION}`, message, isAvailable ? `create extension ${EXTENSION};` : null);
  }
  const bloat = new Map<string, Bloat>();
  const unknown = new Map<string, string>();
  const skipped: Finding[] = [];
  const endMs = performance.now() + BUDGET_MS;
  for (const { key, identifier, oids } of measurables) {
    try {
      if (performance.now() > endMs) unknown.set(key, 'measuring the others took 10 s');
      else bloat.set(key, await sumUp(session, schema, oids, measure));
    } catch (error) {
      if (endsRun(error)) throw error;
      if (isAisecError(error, 'PRIVILEGE_MISSING'))
        return nothing(
          measurables,
          'no privilege',
          `role ${quoteIdentifier(role)} may not call ${schema}.${functionName}`,
          `grant pg_stat_scan_tables to ${quoteIdentifier(role)};`,
        );
      unknown.set(key, reasonOf(error));
    }
    const reason = unknown.get(key);
    if (reason !== undefined) skipped.push(notSeen(`bloat of ${identifier}`, reason, null));
  }
  return { bloat, unknown, skipped };
}
