import type { Session } from '../../../adapters/postgres/session.js';
import { endsRun, isAisecError } from '../../../base/errors.js';
import { inReadOnly } from '../inspection/read-only.js';
import { filterColumns } from './filter-columns.js';
import { buildStatements, indexTarget, triedStatements, type IndexTarget } from './index-target.js';
import { costOf, readsWholeTable, type FilteredScan, type PlannedQuery } from './plan.js';

/** An index that the planner would use, tried with HypoPG, which makes it in the memory of one session. */
export interface IndexAdvice {
  /** Of the planner, without a unit: without and with the index. */
  readonly costBefore: number;
  readonly costAfter: number;
  /** What HypoPG expects. */
  readonly sizeBytes: number;
  readonly sql: string;
}

/** With less to be won an index costs more, at each write, than it gives. */
const WORTHWHILE = 0.5;
/** About a hundred pages. */
const LEAST_COST = 100;

function candidates(equal: readonly string[], ranged: readonly string[]): readonly (readonly string[])[] {
  const singles = [...equal, ...ranged].map((column) => [column]);
  const [range] = ranged;
  const together = range === undefined ? equal : [...equal, range];
  return together.length > 1 ? [...singles, together] : singles;
}

interface Candidate {
  readonly target: IndexTarget;
  readonly columns: readonly string[];
}

async function candidatesFor(session: Session, scan: FilteredScan): Promise<readonly Candidate[]> {
  const target = await indexTarget(session, scan);
  if (target === undefined) return [];
  const { equal, ranged } = await filterColumns(scan.filter);
  return candidates(equal, ranged).map((columns) => ({ target, columns }));
}

/** The index is there, on each partition, for every plan of the session until it is forgotten again. */
async function tryIndex(
  session: Session,
  { schema, hypopg, query, tried }: { schema: string; hypopg: string; query: PlannedQuery; tried: readonly string[] },
): Promise<{ readonly cost: number; readonly sizeBytes: number } | null> {
  try {
    const { rows } = await inReadOnly(session, () =>
      session.query<{ size_bytes: string }>(
        `select coalesce(sum(${hypopg}.hypopg_relation_size(made.indexrelid)), 0)::text as size_bytes
         from unnest($1::text[]) as wanted (statement)
         cross join lateral ${hypopg}.hypopg_create_index(wanted.statement) as made`,
        [tried],
      ),
    );
    const found = await costOf(session, schema, query);
    return found === null ? null : { cost: found.cost, sizeBytes: Number(rows[0]?.size_bytes ?? 0) };
  } catch (error) {
    // A type without an order, such as json, has no such index.
    if (!isAisecError(error) || endsRun(error)) throw error;
    return null;
  } finally {
    if (!session.isLost) await session.query(`select ${hypopg}.hypopg_reset()`);
  }
}

interface Advised {
  readonly schema: string;
  /** The schema of the extension, quoted. */
  readonly hypopg: string;
  readonly query: PlannedQuery;
  /** As EXPLAIN prints it: of most queries it says that no index is to be tried, so that they are planned once. */
  readonly plan: string;
}

/** The one index that helps a query most, if it halves what the planner expects; null when none does. */
export async function indexAdvice(
  session: Session,
  { schema, hypopg, query, plan }: Advised,
): Promise<IndexAdvice | null> {
  if (!readsWholeTable(plan, LEAST_COST)) return null;
  const before = await costOf(session, schema, query);
  if (before === null) return null;
  const seen = new Set<string>();
  let best: IndexAdvice | null = null;
  for (const scan of before.scans)
    for (const { target, columns } of await candidatesFor(session, scan)) {
      const sql = buildStatements(target, columns);
      if (seen.has(sql)) continue;
      seen.add(sql);
      const tried = await tryIndex(session, { schema, hypopg, query, tried: triedStatements(target, columns) });
      if (tried === null || tried.cost > before.cost * WORTHWHILE || tried.cost >= (best?.costAfter ?? Infinity))
        continue;
      best = {
        costBefore: before.cost,
        costAfter: tried.cost,
        sizeBytes: tried.sizeBytes,
        sql,
      };
    }
  return best;
}
