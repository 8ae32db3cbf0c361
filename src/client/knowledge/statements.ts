import { sql, type RawBuilder, type SqlBool } from 'kysely';

import { HALF_SPARE } from '../../schema/half-vector.js';
import type { KnowledgeSearch } from './search-options.js';

/** What a search knows before it builds its statement. */
export interface SearchPlan {
  readonly wanted: KnowledgeSearch;
  readonly limit: number;
  /** The embedding as PostgreSQL reads it. */
  readonly vector: string | undefined;
  /** Whose rows there are; null: those of every user, or of too many assistants to name them. */
  readonly assistantIds: readonly string[] | null;
  /** The index is on halfvec: what it finds is compared again with the whole embedding. */
  readonly isHalf: boolean;
}

/** Ranks far down weigh nearly alike, so that being found twice counts: reciprocal rank fusion, with its usual constant. */
const FUSION = 60;
/** Of each half at least, so that what both have somewhere below the first ten is found. */
const LEAST_DEPTH = 30;
const ALL = 2_147_483_647;

const COLUMNS = sql.raw('id, secretary_id, content, source_type, source_url, tags, metadata, created_at, updated_at');

function filters({ wanted }: SearchPlan): readonly RawBuilder<SqlBool>[] {
  const { sourceType, tags, where } = wanted;
  return [
    ...(sourceType === undefined ? [] : [sql<SqlBool>`source_type = ${sourceType}`]),
    ...(tags === undefined ? [] : [sql<SqlBool>`tags @> ${tags}::text[]`]),
    ...(where === undefined ? [] : [sql<SqlBool>`(${where})`]),
  ];
}

/** The policy says the same, but hides the value from the planner, which then guesses how many rows there are. */
function owners({ wanted, assistantIds }: SearchPlan): readonly RawBuilder<SqlBool>[] {
  if (wanted.assistantId !== undefined) return [sql<SqlBool>`secretary_id = ${wanted.assistantId}`];
  return assistantIds === null ? [] : [sql<SqlBool>`secretary_id = any (${assistantIds}::uuid[])`];
}

/** `+ 0`: an expression that no vector index can order by, so every row that is let through is compared. */
function nearest(plan: SearchPlan, columns: RawBuilder<unknown>, depth: number, isExact: boolean): RawBuilder<unknown> {
  const distance = sql`(embedding <=> ${plan.vector}::vector)`;
  const conditions = sql.join([sql`embedding is not null`, ...owners(plan), ...filters(plan)], sql` and `);
  if (isExact || !plan.isHalf)
    return sql`
      select ${columns}, ${distance} as distance
      from knowledge_base
      where ${conditions}
      order by ${isExact ? sql`${distance} + 0` : distance}
      limit ${depth}`;
  return sql`
    select ${columns}, ${distance} as distance
    from (
      select ${columns}, embedding
      from knowledge_base
      where ${conditions}
      order by embedding::halfvec(1536) <=> ${plan.vector}::halfvec(1536)
      limit ${depth + HALF_SPARE}
    ) as candidate
    order by distance
    limit ${depth}`;
}

/** By meaning alone. */
export function byMeaning(plan: SearchPlan, isExact: boolean): RawBuilder<unknown> {
  return sql`
    select ${COLUMNS}, distance
    from (${nearest(plan, COLUMNS, plan.limit, isExact)}) as nearest
    order by distance, id`;
}

/** Filters come after the ranking, so with any of them everything is ranked. */
function matched(plan: SearchPlan, question: string, depth: number): RawBuilder<unknown> {
  const { assistantId } = plan.wanted;
  const kept = filters(plan);
  const assistants = assistantId === undefined ? null : [assistantId];
  return sql`
    find_knowledge(${question}, ${assistants}::uuid[], ${kept.length === 0 ? depth : ALL}) as match (match_id, score)
    join knowledge_base on id = match_id
    where ${sql.join([sql`true`, ...kept], sql` and `)}
    order by score desc, id
    limit ${depth}`;
}

/** By words alone. */
export function byWords(plan: SearchPlan, question: string): RawBuilder<unknown> {
  return sql`
    select ${COLUMNS}, null::double precision as distance, score
    from ${matched(plan, question, plan.limit)}`;
}

/** By both: the ranks of a row in each half decide, since distances and scores cannot be compared. */
export function byBoth(plan: SearchPlan, question: string, isExact: boolean): RawBuilder<unknown> {
  const depth = Math.max(LEAST_DEPTH, plan.limit);
  const { maxDistance = 2.1 } = plan.wanted;
  // NaN, of a stored vector of zeros, is greater than every number.
  return sql`
    with nearest as materialized (
      ${nearest(plan, sql`id`, depth, isExact)}
    ), matched as materialized (
      select id, score
      from ${matched(plan, question, depth)}
    ), fused as (
      select fused_id, sum(1.0::double precision / (${FUSION}::int + place)) as score
      from (
        select id as fused_id, row_number() over (order by distance, id) as place
        from nearest
        where distance <= ${maxDistance}
        union all
        select id, row_number() over (order by score desc, id)
        from matched
      ) as ranked
      group by fused_id
      order by score desc, fused_id
      limit ${plan.limit}
    )
    select
      ${COLUMNS},
      nullif(embedding <=> ${plan.vector}::vector, 'NaN') as distance,
      score,
      (select count(*) from nearest)::int as near
    from fused
    join knowledge_base on id = fused_id
    order by score desc, id`;
}
