// A service over what an assistant knows: vector search under row-level security, and settings from the cache.
import { searchKnowledge, toVector, withUser, type Cache } from 'aisec';
import type { DB } from 'aisec/schema';
import type { Kysely } from 'kysely';

export interface Fact {
  readonly assistantId: string;
  readonly content: string;
  readonly embedding: readonly number[];
}

export async function remember(db: Kysely<DB>, userId: string, fact: Fact): Promise<void> {
  const { assistantId, content, embedding } = fact;
  await withUser(db, userId, (trx) =>
    trx
      .insertInto('knowledge_base')
      .values({ secretary_id: assistantId, content, embedding: toVector(embedding) })
      .execute(),
  );
}

/** The contents nearest to the embedding of a question, nearest first. */
export async function recall(
  db: Kysely<DB>,
  userId: string,
  embedding: readonly number[],
  limit: number,
): Promise<string[]> {
  const matches = await withUser(db, userId, (trx) => searchKnowledge(trx, { embedding, limit }));
  return matches.map(({ content }) => content);
}

/** How many facts a prompt may have: setting `facts_in_prompt`, 5 without it. */
export async function factsInPrompt(cache: Cache): Promise<number> {
  const setting = await cache.setting('facts_in_prompt');
  return typeof setting?.value === 'number' ? setting.value : 5;
}
