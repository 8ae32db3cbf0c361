import { CompiledQuery, type RawBuilder } from 'kysely';

import { clientSql } from '../../adapters/postgres/client-sql.js';
import { AisecError } from '../../base/errors.js';
import type { AnyDatabase } from '../any-database.js';
import { toVector } from '../embedding.js';
import {
  checkSearch,
  questionOf,
  type KnowledgeMatch,
  type KnowledgeSearch,
  type RankedMatch,
  type VectorSearch,
} from './search-options.js';
import { byBoth, byMeaning, byWords, type SearchPlan } from './statements.js';

interface Settings {
  /** Null: no row-level security, or too many. */
  readonly assistant_ids: readonly string[] | null;
  /** What the caller had set. */
  readonly previous: Readonly<Record<string, string | null>>;
  readonly is_half: boolean;
  readonly finds_words: boolean;
}

async function execute<Row>(trx: AnyDatabase, statement: RawBuilder<unknown>): Promise<Row[]> {
  return (await statement.execute(trx)).rows as Row[];
}

async function searchByMeaning(trx: AnyDatabase, plan: SearchPlan): Promise<KnowledgeMatch[]> {
  const { accuracy, maxDistance = 2.1 } = plan.wanted;
  let found = await execute<KnowledgeMatch>(trx, byMeaning(plan, accuracy === 'exact'));
  // The index ran dry before it had enough rows: its scan ends after hnsw.max_scan_tuples or ivfflat.max_probes.
  if (accuracy !== 'exact' && found.length < plan.limit) found = await execute(trx, byMeaning(plan, true));
  // NaN: a stored vector of zeros, which has no direction.
  return found.filter(({ distance }) => !Number.isNaN(distance) && distance <= maxDistance);
}

async function searchByBoth(trx: AnyDatabase, plan: SearchPlan, question: string): Promise<RankedMatch[]> {
  type Row = RankedMatch & { near?: number };
  const isExact = plan.wanted.accuracy === 'exact';
  let found = await execute<Row>(trx, byBoth(plan, question, isExact));
  if (!isExact && (found[0]?.near ?? 0) < plan.limit) found = await execute<Row>(trx, byBoth(plan, question, true));
  for (const match of found) delete match.near;
  return found;
}

/** `isCallers`: the transaction continues after the search, without its settings. */
async function search(
  trx: AnyDatabase,
  wanted: KnowledgeSearch,
  vector: string | undefined,
  isCallers: boolean,
): Promise<(KnowledgeMatch | RankedMatch)[]> {
  const { limit = 10, accuracy, text } = wanted;
  const effort = accuracy === 'exact' ? {} : (accuracy ?? {});
  const { rows } = await trx
    .getExecutor()
    .executeQuery<Settings>(
      CompiledQuery.raw(clientSql('search-settings'), [
        effort.efSearch === undefined ? null : String(effort.efSearch),
        effort.probes === undefined ? null : String(effort.probes),
      ]),
    );
  const [settings] = rows;
  if (text !== undefined && settings?.finds_words !== true)
    throw new AisecError('MIGRATION_PENDING', 'searchKnowledge: the database has no search by words', {
      hint: 'Run: aisec migrate up',
    });
  const plan: SearchPlan = {
    wanted,
    limit,
    vector,
    assistantIds: settings?.assistant_ids ?? null,
    isHalf: settings?.is_half ?? false,
  };
  const found =
    text === undefined
      ? await searchByMeaning(trx, plan)
      : vector === undefined
        ? await execute<RankedMatch>(trx, byWords(plan, questionOf(text)))
        : await searchByBoth(trx, plan, questionOf(text));
  if (settings !== undefined && isCallers)
    await trx
      .getExecutor()
      .executeQuery(CompiledQuery.raw(clientSql('restore-settings'), [JSON.stringify(settings.previous)]));
  return found;
}

/**
 * The rows of knowledge_base that fit best.
 *
 * With `embedding`, the nearest by cosine distance, nearest first: always `limit` rows where as many exist under row-level
 * security and the filters; an index scan that filters afterwards continues until it has them, and where it runs dry every
 * row is compared. With `text`, those that have its words, the rarest words first; Japanese needs no spaces. With both,
 * what is high up in one of the two lists or in both (reciprocal rank fusion).
 *
 * Inside of `withUser` it is that user's knowledge, and the settings it makes are taken back afterwards; on the database
 * itself it takes a transaction of its own. Two round trips, three in a transaction, one more where the index ran dry.
 *
 * @throws AisecError USAGE for an embedding of another length, with NaN, infinity or zeros only, and for numbers out of range.
 * @example
 * const matches = await withUser(db, userId, (trx) => searchKnowledge(trx, { text: '経費の精算', embedding }));
 */
export async function searchKnowledge(db: AnyDatabase, wanted: VectorSearch): Promise<KnowledgeMatch[]>;
export async function searchKnowledge(db: AnyDatabase, wanted: KnowledgeSearch): Promise<RankedMatch[]>;
export async function searchKnowledge(
  db: AnyDatabase,
  wanted: KnowledgeSearch,
): Promise<(KnowledgeMatch | RankedMatch)[]> {
  checkSearch(wanted);
  const vector = wanted.embedding === undefined ? undefined : toVector(wanted.embedding);
  const plain = db.withoutPlugins();
  if (plain.isTransaction) return search(plain, wanted, vector, true);
  return plain.transaction().execute((trx) => search(trx, wanted, vector, false));
}
