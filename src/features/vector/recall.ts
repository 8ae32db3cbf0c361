import { withTransaction, type Session } from '../../adapters/postgres/session.js';
import { throwIfInterrupted } from '../../base/interruption.js';
import { HALF_SPARE, type VectorType } from '../../schema/half-vector.js';
import { tableName, type Method } from './vector-index.js';

/** Neighbours compared for each query: recall@10. */
export const NEIGHBOURS = 10;
/** About a thousand rows of text, so that a pass needs little memory and can be stopped. */
const BLOCKS_AT_ONCE = 32;
/** Rounding of 4-byte floats: rows as near as the last true neighbour are as good. */
const TIE = 1e-6;

/** A row of the table itself, searched for among the others. */
export interface Query {
  readonly id: string;
  readonly embedding: string;
}

export interface Truth {
  readonly query: Query;
  readonly ids: ReadonlySet<string>;
  readonly farthest: number;
}

export interface Measurement {
  /** Share of the true neighbours that were found, 0 to 1. */
  readonly recall: number;
  /** Of one search, as this client saw it. */
  readonly medianMs: number;
  readonly p95Ms: number;
}

/** The setting that decides how thoroughly an index is searched. */
export const EFFORT_SETTING: Readonly<Record<Method, string>> = { hnsw: 'hnsw.ef_search', ivfflat: 'ivfflat.probes' };

/** The effort that a search has now, as the database and the role are set. */
export async function currentEffort(session: Session, method: Method): Promise<number> {
  // The setting exists once the library of pgvector is loaded, which the first vector of a session does.
  await session.query(`select '[1]'::vector`);
  const { rows } = await session.query<{ value: string }>('select pg_catalog.current_setting($1) as value', [
    EFFORT_SETTING[method],
  ]);
  return Number(rows[0]?.value);
}

/** The same rows each time as long as the table is the same; rows of zeros have no direction and are left out. */
export async function sampleQueries(session: Session, schema: string, count: number): Promise<readonly Query[]> {
  const { rows } = await session.query<{ id: string; embedding: string }>(
    `with sample as materialized (
       select id
       from ${tableName(schema)}
       where embedding is not null
       order by pg_catalog.hashtextextended(id::text, 42)
       limit $1
     )
     select id::text, embedding::text
     from ${tableName(schema)}
     where id in (select id from sample)
       and vector_norm(embedding) > 0
     order by id`,
    [count],
  );
  return rows;
}

interface Candidate {
  readonly query: number;
  readonly id: string;
  readonly distance: number;
}

/** Both sides are materialized: each embedding is read from TOAST and normalized once, not once for every query. */
function passQuery(schema: string): string {
  return `with candidate as materialized (
            select id::text, l2_normalize(embedding) as unit
            from ${tableName(schema)}
            where ctid >= $2::tid
              and ctid < $3::tid
              and embedding is not null
          ),
          query as materialized (
            select number::int, l2_normalize(embedding) as unit
            from unnest($1::vector[]) with ordinality as given (embedding, number)
          ),
          pair as (
            select query.number, candidate.id, candidate.unit <#> query.unit as product
            from query
            cross join candidate
            offset 0
          )
          select number as query, id, 1 + product as distance
          from (
            select pair.*, row_number() over (partition by number order by product) as rank
            from pair
          ) as ranked
          where rank <= ${NEIGHBOURS + 1}`;
}

/**
 * The true nearest neighbours of every query, by one pass over the table for all of them.
 *
 * @throws AisecError INTERRUPTED, TERMINATED.
 */
export async function trueNeighbours(
  session: Session,
  schema: string,
  queries: readonly Query[],
  heapBlocks: number,
  onProgress: (text: string) => void,
): Promise<readonly Truth[]> {
  const best = queries.map((): Candidate[] => []);
  const embeddings = queries.map(({ embedding }) => embedding);
  for (let block = 0; block < heapBlocks; block += BLOCKS_AT_ONCE) {
    throwIfInterrupted(session.signal);
    onProgress(`exact search of ${queries.length} rows, ${Math.floor((block / heapBlocks) * 100)} %`);
    const { rows } = await session.query<Candidate>(passQuery(schema), [
      embeddings,
      `(${block},0)`,
      `(${block + BLOCKS_AT_ONCE},0)`,
    ]);
    for (const row of rows) {
      if (queries[row.query - 1]?.id !== row.id && !Number.isNaN(row.distance)) best[row.query - 1]?.push(row);
    }
    for (const [index, candidates] of best.entries())
      best[index] = candidates.toSorted((a, b) => a.distance - b.distance).slice(0, NEIGHBOURS);
  }
  return queries.map((query, index) => {
    const nearest = best[index] ?? [];
    return {
      query,
      ids: new Set(nearest.map(({ id }) => id)),
      farthest: nearest.at(-1)?.distance ?? Number.NEGATIVE_INFINITY,
    };
  });
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const FORCE_INDEX = 'set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_sort = off';
const FORBID_INDEX = 'set local enable_indexscan = off';

export interface Search {
  /** Null: as the database is set. */
  readonly effort: { readonly setting: string; readonly value: number } | null;
  /** What the index is on, when it is used; null: every row is compared. */
  readonly index: { readonly type: VectorType; readonly dimensions: number } | null;
}

/** As `searchKnowledge` searches. */
function searchQuery(schema: string, index: Search['index']): string {
  const half = `halfvec(${index?.dimensions})`;
  const source =
    index?.type === 'halfvec'
      ? `(
           select id, embedding
           from ${tableName(schema)}
           order by embedding::${half} <=> $1::${half}
           limit ${NEIGHBOURS + 1 + HALF_SPARE}
         ) as candidate`
      : tableName(schema);
  return `select id::text, embedding <=> $1::vector as distance
          from ${source}
          order by embedding <=> $1::vector
          limit ${NEIGHBOURS + 1}`;
}

/** One search after the other, and what each finds beside the row itself. Undoes its settings. */
export async function searchAll(
  session: Session,
  schema: string,
  queries: readonly Query[],
  { effort, index }: Search,
): Promise<readonly { readonly found: readonly Candidate[]; readonly durationMs: number }[]> {
  return withTransaction(session, async () => {
    await session.query(index === null ? FORBID_INDEX : FORCE_INDEX);
    const text = searchQuery(schema, index);
    if (effort !== null)
      await session.query('select pg_catalog.set_config($1, $2, true)', [effort.setting, String(effort.value)]);
    const results = [];
    for (const [query, { id, embedding }] of queries.entries()) {
      throwIfInterrupted(session.signal);
      const startedMs = performance.now();
      const { rows } = await session.query<{ id: string; distance: number }>(text, [embedding]);
      const durationMs = performance.now() - startedMs;
      const others = rows.filter((row) => row.id !== id).slice(0, NEIGHBOURS);
      results.push({ found: others.map((row) => ({ ...row, query })), durationMs });
    }
    return results;
  });
}

/** Recall and time of the index against the truth. */
export async function measureIndex(
  session: Session,
  schema: string,
  truths: readonly Truth[],
  search: Search,
): Promise<Measurement> {
  const queries = truths.map(({ query }) => query);
  const searches = await searchAll(session, schema, queries, search);
  let [hits, wanted] = [0, 0];
  for (const [index, { ids, farthest }] of truths.entries()) {
    wanted += ids.size;
    const found = searches[index]?.found ?? [];
    hits += found.filter(({ id, distance }) => ids.has(id) || distance <= farthest + TIE).length;
  }
  const times = searches.map(({ durationMs }) => durationMs);
  return { recall: wanted === 0 ? 1 : hits / wanted, medianMs: percentile(times, 0.5), p95Ms: percentile(times, 0.95) };
}
