import { hiddenSkip, notSeen } from '../inspection/skip.js';
import type { Finding } from '../../../base/finding.js';
import { readReportHeader } from '../inspection/report-header.js';
import { readExtension, type ExtensionState } from '../inspection/extension.js';
import { inReadOnly } from '../inspection/read-only.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { isAisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { reportedQuery } from '../session-values.js';
import type { Report } from '../report.js';
import type { IndexAdvice } from './index-advice.js';

/** One query of this database, all roles together, with its constants as $1, $2. */
export interface MonitoredQuery {
  /** A 64-bit number, as text. */
  readonly queryId: string;
  readonly calls: number;
  readonly totalMs: number;
  readonly meanMs: number;
  /** Of the time of all queries of this database, 0 to 1. */
  readonly share: number;
  readonly rows: number;
  /** Blocks found in the server's memory, and read from outside of it. */
  readonly hitBlocks: number;
  readonly readBlocks: number;
  /** Blocks of temporary files: a sort or a hash that did not fit in work_mem. */
  readonly temporaryBlocks: number;
  readonly query: string;
  /** As EXPLAIN prints it for any values of its parameters; null when it was not asked for, or there is none. */
  readonly plan: string | null;
  /** Why there is no plan. */
  readonly planProblem: string | null;
  /** The index that would help most; null without HypoPG, and when none does. */
  readonly index: IndexAdvice | null;
}

export interface QueriesReport extends Report {
  /** The clock of pg_stat_statements; RFC 3339. Null when it does not report it. */
  readonly queriesSince: string | null;
  /** How often entries were thrown out for want of room: the list is then incomplete. Null when it does not report it. */
  readonly evictions: number | null;
  /** The most time first; null when pg_stat_statements is not there to be asked. */
  readonly queries: readonly MonitoredQuery[] | null;
}

interface QueryRow {
  readonly query_id: string | null;
  readonly calls: string;
  readonly total_ms: number;
  readonly all_ms: number;
  readonly row_count: string;
  readonly hit_blocks: string;
  readonly read_blocks: string;
  readonly temporary_blocks: string;
  readonly query: string;
  readonly role_name: string | null;
  readonly hidden: string;
}

const EXTENSION = 'pg_stat_statements';
/** object_not_in_prerequisite_state: the library is not loaded. */
const NOT_LOADED = '55000';
/** undefined_column: the view is that of an older version, as pg_upgrade leaves it. */
const TOO_OLD = '42703';
const PRELOAD = `add ${EXTENSION} to shared_preload_libraries and restart the server`;

function notInstalled({ isAvailable, isPreloaded }: ExtensionState): Finding {
  if (!isAvailable)
    return notSeen(
      'queries',
      `the server does not have the extension ${EXTENSION}, which is in PostgreSQL's contrib package`,
      null,
    );
  const message = `the extension ${EXTENSION} is not installed in this database`;
  if (isPreloaded === true) return notSeen('queries', message, `create extension ${EXTENSION};`);
  return notSeen('queries', `${message}, and the server does not load its library: ${PRELOAD}`, null);
}

/** All entries of one query id together: the view has one for each role, and for each way it was called. */
function text(schema: string): string {
  return `select
  queryid::text as query_id,
  sum(calls)::text as calls,
  sum(total_exec_time) as total_ms,
  sum(sum(total_exec_time)) over () as all_ms,
  sum(rows)::text as row_count,
  sum(shared_blks_hit)::text as hit_blocks,
  sum(shared_blks_read)::text as read_blocks,
  sum(temp_blks_written)::text as temporary_blocks,
  (pg_catalog.array_agg(query order by calls desc))[1] as query,
  (
    select role.rolname::text
    from pg_catalog.pg_roles as role
    where role.oid = (pg_catalog.array_agg(userid order by calls desc))[1]
      and pg_catalog.pg_has_role(role.oid, 'set')
  ) as role_name,
  (sum(count(*) filter (where queryid is null)) over ())::text as hidden
from ${schema}.pg_stat_statements
where dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
group by queryid
order by queryid is null, total_ms desc
limit $1`;
}

async function readQueries(
  session: Session,
  schema: string,
  limit: number,
): Promise<{ rows: readonly QueryRow[]; since: Date | null; evictions: number | null }> {
  return inReadOnly(session, async () => {
    const { rows } = await session.query<QueryRow>(text(schema), [limit]);
    const view = await session.query<{ columns: readonly string[] }>(sqlFile('monitor/view-columns'), [
      schema,
      'pg_stat_statements_info',
    ]);
    if (view.rows[0]?.columns.includes('dealloc') !== true) return { rows, since: null, evictions: null };
    const info = await session.query<{ stats_reset: Date | null; dealloc: string }>(
      `select stats_reset, dealloc from ${schema}.pg_stat_statements_info`,
    );
    const [first] = info.rows;
    return { rows, since: first?.stats_reset ?? null, evictions: first === undefined ? null : Number(first.dealloc) };
  });
}

type Explanation = Pick<MonitoredQuery, 'plan' | 'planProblem' | 'index'>;

const NOT_EXPLAINED: Explanation = { plan: null, planProblem: null, index: null };

async function explained(
  session: Session,
  { query, role_name: roleName }: QueryRow,
  { schema, hypopg }: { readonly schema: string; readonly hypopg: string | null },
): Promise<Explanation> {
  const { planOf } = await import('./plan.js');
  const planned = await planOf(session, schema, { text: query, roleName });
  if ('problem' in planned) return { ...NOT_EXPLAINED, planProblem: planned.problem };
  const plan = reportedQuery(planned.plan);
  if (hypopg === null) return { ...NOT_EXPLAINED, plan };
  const { indexAdvice } = await import('./index-advice.js');
  return {
    plan,
    planProblem: null,
    index: await indexAdvice(session, { schema, hypopg, query: { text: query, roleName }, plan: planned.plan }),
  };
}

function queryOf(row: QueryRow, explanation: Explanation): MonitoredQuery {
  return {
    queryId: row.query_id ?? '',
    calls: Number(row.calls),
    totalMs: Math.round(row.total_ms),
    meanMs: row.total_ms / Math.max(1, Number(row.calls)),
    share: row.all_ms === 0 ? 0 : row.total_ms / row.all_ms,
    rows: Number(row.row_count),
    hitBlocks: Number(row.hit_blocks),
    readBlocks: Number(row.read_blocks),
    temporaryBlocks: Number(row.temporary_blocks),
    // A comment to the end of the line would hide the query once it is on one line.
    query: reportedQuery(row.query.replaceAll(/--.*$/gm, ' ').replaceAll(/\s+/g, ' ').trim()),
    ...explanation,
  };
}

export interface QueriesOptions {
  readonly limit: number;
  /** Whether each query is planned, and an index tried for it. */
  readonly explains?: boolean;
}

/** The queries of this database that took the most time, as pg_stat_statements has them. */
export async function monitorQueries(
  session: Session,
  schema: string,
  { limit, explains = false }: QueriesOptions,
): Promise<QueriesReport> {
  const header = await readReportHeader(session, schema);
  const without = (skip: Finding): QueriesReport => ({
    ...header,
    skipped: [skip],
    queriesSince: null,
    evictions: null,
    queries: null,
  });
  const extension = await readExtension(session, EXTENSION);
  if (extension.schema === null) return without(notInstalled(extension));
  try {
    const { rows, since, evictions } = await readQueries(session, extension.schema, limit);
    const hypopg = explains ? (await readExtension(session, 'hypopg')).schema : null;
    const queries: MonitoredQuery[] = [];
    for (const row of rows.filter(({ query_id: id }) => id !== null))
      queries.push(queryOf(row, explains ? await explained(session, row, { schema, hypopg }) : NOT_EXPLAINED));
    return {
      ...header,
      skipped: hiddenSkip('queries', Number(rows[0]?.hidden ?? 0), header),
      queriesSince: since?.toISOString() ?? null,
      evictions,
      queries,
    };
  } catch (error) {
    if (isAisecError(error) && error.sqlState === NOT_LOADED)
      return without(
        notSeen('queries', `${EXTENSION} is installed, but the server does not load its library: ${PRELOAD}`, null),
      );
    if (isAisecError(error) && error.sqlState === TOO_OLD)
      return without(
        notSeen(
          'queries',
          `the extension ${EXTENSION} is older than 1.8, the first version with what is read`,
          `alter extension ${EXTENSION} update;`,
        ),
      );
    if (isAisecError(error, 'PRIVILEGE_MISSING')) {
      const role = quoteIdentifier(header.role);
      const fix = `grant usage on schema ${extension.schema} to ${role}; grant select on ${extension.schema}.pg_stat_statements to ${role};`;
      return without(notSeen('queries', error.message, fix));
    }
    throw error;
  }
}
