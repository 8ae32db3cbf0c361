import type { Session } from '../../../adapters/postgres/session.js';
import { parseStatements } from '../../../adapters/sql-parser/statements.js';
import { endsRun, isAisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { inReadOnly } from '../inspection/read-only.js';

/** A query as pg_stat_statements has it, and who sent it most often. */
export interface PlannedQuery {
  readonly text: string;
  /** Null: a role that this one may not become, so it is planned as the one that looks. */
  readonly roleName: string | null;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Total Cost': number;
  readonly Schema?: string;
  readonly 'Relation Name'?: string;
  readonly Filter?: string;
  readonly Plans?: readonly PlanNode[];
}

/** A table that is read whole, for rows that a condition picks. */
export interface FilteredScan {
  readonly schema: string;
  readonly table: string;
  readonly filter: string;
}

const PLANNABLE = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'];

/** pg_stat_statements puts $1 where a constant stood, which is no SQL everywhere: interval $1. */
const NOT_READABLE = 'with $1 in place of its constants it cannot be read';
const SYNTAX_ERROR = '42601';

/** Why there is no plan; undefined for one statement of a kind that has one. */
async function whyNot(text: string): Promise<string | undefined> {
  const parsed = await parseStatements(text);
  if (!('statements' in parsed)) return NOT_READABLE;
  const [statement, ...others] = parsed.statements;
  if (statement === undefined || others.length > 0 || !PLANNABLE.includes(statement.node))
    return 'it is no query that has a plan';
  return undefined;
}

/**
 * Runs the callback where queries can be planned: read-only, at most 10 s, as the role that sends them, so that its policies and
 * its rights hold, and so that a function which the planner calls (an IMMUTABLE one) has no more rights than it has anyway.
 */
function asSender<Result>(
  session: Session,
  { schema, roleName }: { readonly schema: string; readonly roleName: string | null },
  run: () => Promise<Result>,
): Promise<Result> {
  return inReadOnly(session, async () => {
    await session.query(`set local search_path = ${quoteIdentifier(schema)}, public`);
    if (roleName !== null) await session.query(`set local role ${quoteIdentifier(roleName)}`);
    return run();
  });
}

/** A plan for any values of the parameters: https://www.postgresql.org/docs/16/sql-explain.html (GENERIC_PLAN). */
async function explain(session: Session, text: string, format: 'text' | 'json'): Promise<readonly unknown[]> {
  const isJson = format === 'json';
  const { rows } = await session.query<{ 'QUERY PLAN': unknown }>(
    `explain (generic_plan, verbose ${isJson}, format ${format}) ${text}`,
  );
  return rows.map((row) => row['QUERY PLAN']);
}

/** The plan as EXPLAIN prints it, without values; or why there is none. */
export async function planOf(
  session: Session,
  schema: string,
  { text, roleName }: PlannedQuery,
): Promise<{ readonly plan: string } | { readonly problem: string }> {
  const problem = await whyNot(text);
  if (problem !== undefined) return { problem };
  try {
    const lines = await asSender(session, { schema, roleName }, () => explain(session, text, 'text'));
    return { plan: lines.join('\n') };
  } catch (error) {
    if (!isAisecError(error) || endsRun(error)) throw error;
    return { problem: error.sqlState === SYNTAX_ERROR ? NOT_READABLE : `the server says: ${error.message}` };
  }
}

function scansIn(node: PlanNode): readonly FilteredScan[] {
  const { Schema: schema, 'Relation Name': table, Filter: filter } = node;
  const own =
    node['Node Type'] === 'Seq Scan' && schema !== undefined && table !== undefined && filter !== undefined
      ? [{ schema, table, filter }]
      : [];
  return [...own, ...(node.Plans ?? []).flatMap(scansIn)];
}

/** Whether a plan, as EXPLAIN prints it, reads a table whole for some rows, and costs so much. */
export function readsWholeTable(plan: string, leastCost: number): boolean {
  const cost = /\(cost=[\d.]+\.\.([\d.]+) rows=/.exec(plan)?.[1] ?? '0';
  return Number(cost) >= leastCost && /\bSeq Scan on .*\n\s+Filter: /.test(plan);
}

/**
 * What a query that has a plan costs by the planner, and the tables that it reads whole for some rows; null where it cannot be
 * planned any more.
 */
export async function costOf(
  session: Session,
  schema: string,
  { text, roleName }: PlannedQuery,
): Promise<{ readonly cost: number; readonly scans: readonly FilteredScan[] } | null> {
  try {
    const [plans] = await asSender(session, { schema, roleName }, () => explain(session, text, 'json'));
    const [{ Plan: plan }] = (typeof plans === 'string' ? JSON.parse(plans) : plans) as [{ readonly Plan: PlanNode }];
    return { cost: plan['Total Cost'], scans: scansIn(plan) };
  } catch (error) {
    if (!isAisecError(error) || endsRun(error)) throw error;
    return null;
  }
}
