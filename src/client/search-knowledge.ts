import { CompiledQuery, sql, type RawBuilder, type SqlBool } from 'kysely';

import { CLIENT_SQL } from '../adapters/postgres/client-sql.js';
import { AisecError } from '../base/errors.js';
import type { Knowledge } from '../schema/index.js';
import type { AnyDatabase } from './any-database.js';
import { toVector } from './embedding.js';

/** How thoroughly to search: which of the two counts depends on the index that is there. */
export interface SearchEffort {
  /** Of hnsw: candidates kept, 1 to 1000. */
  readonly efSearch?: number;
  /** Of ivfflat: lists read, 1 to 32768. */
  readonly probes?: number;
}

export interface KnowledgeSearch {
  /** What to look for: 1536 numbers of the model that made the embeddings of the table. */
  readonly embedding: readonly number[];
  /** How many rows, 1 to 1000. Default: 10. */
  readonly limit?: number;
  /** Only what this assistant knows. */
  readonly assistantId?: string;
  readonly sourceType?: string;
  /** Only rows that have all of these tags. */
  readonly tags?: readonly string[];
  /** Any further condition, on the columns of knowledge_base: sql<boolean>`created_at > ${since}`. */
  readonly where?: RawBuilder<SqlBool>;
  /** Leaves out what is farther away: 0 the same direction, 1 unrelated, 2 opposite. */
  readonly maxDistance?: number;
  /** `exact` compares every row. Default: as the database is set; see `aisec vector tune`. */
  readonly accuracy?: SearchEffort | 'exact';
}

export interface KnowledgeMatch extends Omit<Knowledge, 'embedding'> {
  /** Cosine distance, 0 to 2. */
  readonly distance: number;
}

function checkRange(name: string, value: number | undefined, least: number, most: number, whole = true): void {
  if (value === undefined) return;
  if ((whole ? Number.isSafeInteger(value) : Number.isFinite(value)) && value >= least && value <= most) return;
  throw new AisecError('USAGE', `searchKnowledge: ${name} is ${value}`, {
    hint: `It is a ${whole ? 'whole ' : ''}number from ${least} to ${most}.`,
  });
}

function conditionsOf(search: KnowledgeSearch, assistantIds: readonly string[] | null): RawBuilder<SqlBool> {
  const { assistantId, sourceType, tags, where } = search;
  const conditions = [
    sql<SqlBool>`embedding is not null`,
    // The policy says the same, but hides the value from the planner, which then guesses how many rows there are.
    ...(assistantId !== undefined
      ? [sql<SqlBool>`secretary_id = ${assistantId}`]
      : assistantIds === null
        ? []
        : [sql<SqlBool>`secretary_id = any (${assistantIds}::uuid[])`]),
    ...(sourceType === undefined ? [] : [sql<SqlBool>`source_type = ${sourceType}`]),
    ...(tags === undefined ? [] : [sql<SqlBool>`tags @> ${tags}::text[]`]),
    ...(where === undefined ? [] : [sql<SqlBool>`(${where})`]),
  ];
  return sql.join(conditions, sql` and `);
}

interface Settings {
  /** Null: no row-level security, or too many. */
  readonly assistant_ids: readonly string[] | null;
  /** What the caller had set. */
  readonly previous: Readonly<Record<string, string | null>>;
}

const COLUMNS = sql.raw(
  'id, secretary_id, content, source_type, source_url, tags, metadata, created_at, updated_at, distance',
);

/** `+ 0`: an expression that no vector index can order by, so every row that is let through is compared. */
async function nearest(
  db: AnyDatabase,
  vector: string,
  limit: number,
  conditions: RawBuilder<SqlBool>,
  isExact: boolean,
): Promise<readonly KnowledgeMatch[]> {
  const distance = sql`(embedding <=> ${vector}::vector)`;
  const order = isExact ? sql`${distance} + 0` : distance;
  const { rows } = await sql<KnowledgeMatch>`
    select ${COLUMNS}
    from (
      select *, ${distance} as distance
      from knowledge_base
      where ${conditions}
      order by ${order}
      limit ${limit}
    ) as nearest
    order by distance, id`.execute(db);
  return rows;
}

/** `isCallers`: the transaction continues after the search, without its settings. */
async function search(
  trx: AnyDatabase,
  wanted: KnowledgeSearch,
  vector: string,
  isCallers: boolean,
): Promise<KnowledgeMatch[]> {
  const { limit = 10, accuracy, maxDistance } = wanted;
  const effort = accuracy === 'exact' ? {} : (accuracy ?? {});
  const settings = CompiledQuery.raw(CLIENT_SQL['search-settings'], [
    effort.efSearch === undefined ? null : String(effort.efSearch),
    effort.probes === undefined ? null : String(effort.probes),
  ]);
  const { rows } = await trx.getExecutor().executeQuery<Settings>(settings);
  const conditions = conditionsOf(wanted, rows[0]?.assistant_ids ?? null);
  let found = await nearest(trx, vector, limit, conditions, accuracy === 'exact');
  // The index ran dry before it had enough rows: its scan ends after hnsw.max_scan_tuples or ivfflat.max_probes.
  if (accuracy !== 'exact' && found.length < limit) found = await nearest(trx, vector, limit, conditions, true);
  if (rows[0] !== undefined && isCallers)
    await trx
      .getExecutor()
      .executeQuery(CompiledQuery.raw(CLIENT_SQL['restore-settings'], [JSON.stringify(rows[0].previous)]));
  // NaN: a stored vector of zeros, which has no direction.
  return found.filter(({ distance }) => !Number.isNaN(distance) && distance <= (maxDistance ?? 2.1));
}

/**
 * The rows of knowledge_base that are nearest to an embedding by cosine distance, nearest first. Always `limit` rows where
 * as many exist under row-level security and the filters: an index scan that filters afterwards continues until it has
 * them, and where it runs dry every row is compared.
 *
 * Inside of `withUser` it is that user's knowledge, and the settings it makes are taken back afterwards; on the database
 * itself it takes a transaction of its own. Two round trips, three in a transaction, one more where the index ran dry.
 *
 * @throws AisecError USAGE for an embedding of another length, with NaN, infinity or zeros only, and for numbers out of range.
 */
export async function searchKnowledge(db: AnyDatabase, wanted: KnowledgeSearch): Promise<KnowledgeMatch[]> {
  const vector = toVector(wanted.embedding);
  const { limit, maxDistance, accuracy } = wanted;
  checkRange('limit', limit, 1, 1000);
  checkRange('maxDistance', maxDistance, 0, 2, false);
  if (accuracy !== undefined && accuracy !== 'exact') {
    checkRange('efSearch', accuracy.efSearch, 1, 1000);
    checkRange('probes', accuracy.probes, 1, 32_768);
  }
  const plain = db.withoutPlugins();
  if (plain.isTransaction) return search(plain, wanted, vector, true);
  return plain.transaction().execute((trx) => search(trx, wanted, vector, false));
}
