import { randomUUID } from 'node:crypto';

import { CompiledQuery } from 'kysely';

import { AisecError, messageOf } from '../../base/errors.js';
import type { NewKnowledge } from '../../schema/index.js';
import type { AnyDatabase } from '../any-database.js';
import { checkOptions } from '../check-arguments.js';
import { toVector } from '../embedding.js';

/** A row of knowledge_base; what is left out is as the database has it. */
export interface KnowledgeRow extends Pick<
  NewKnowledge,
  'id' | 'secretary_id' | 'content' | 'source_type' | 'source_url' | 'tags' | 'metadata'
> {
  /** 1536 numbers, as the model returned them. */
  readonly embedding?: readonly number[] | null | undefined;
}

interface Prepared {
  readonly id: string;
  /** As JSON. */
  readonly text: string;
  readonly place: number;
}

const MOST_ROWS = 500;
/** Of JSON in one statement: about 200 embeddings. */
const MOST_CHARACTERS = 4_000_000;

const INSERT = `
  insert into knowledge_base (id, secretary_id, content, embedding, source_type, source_url, tags, metadata)
  select id, secretary_id, content, embedding::vector, source_type, source_url, tags, metadata
  from json_to_recordset($1::json) as given (
    id uuid, secretary_id uuid, content text, embedding text, source_type text, source_url text, tags text[],
    metadata jsonb
  )`;

/** Any other would be left out without a word. */
const COLUMNS: Readonly<Record<keyof KnowledgeRow, true>> = {
  id: true,
  secretary_id: true,
  content: true,
  embedding: true,
  source_type: true,
  source_url: true,
  tags: true,
  metadata: true,
};

function invalid(place: number, what: string, cause?: AisecError): AisecError {
  return new AisecError('USAGE', `insertKnowledge: row ${place}: ${what}`, {
    hint: cause?.hint ?? 'Nothing was inserted.',
    cause,
  });
}

function prepare(row: KnowledgeRow, place: number): Prepared {
  if (typeof row !== 'object' || (row as unknown) === null) throw invalid(place, 'it is not an object');
  checkOptions(`insertKnowledge: row ${place}`, row, COLUMNS, 'USAGE', 'column');
  if (typeof row.content !== 'string') throw invalid(place, 'content is not a string');
  const id = row.id ?? randomUUID();
  const { secretary_id, content, source_type, source_url, tags, metadata } = row;
  let embedding: string | null;
  try {
    embedding = row.embedding === null || row.embedding === undefined ? null : toVector(row.embedding);
  } catch (error) {
    if (error instanceof AisecError) throw invalid(place, error.message, error);
    throw error;
  }
  const text = JSON.stringify({ id, secretary_id, content, embedding, source_type, source_url, tags, metadata });
  return { id, text, place };
}

function* chunksOf(rows: readonly Prepared[]): Generator<readonly Prepared[]> {
  let [chunk, size]: [Prepared[], number] = [[], 0];
  for (const row of rows) {
    if (chunk.length > 0 && (chunk.length === MOST_ROWS || size + row.text.length > MOST_CHARACTERS)) {
      yield chunk;
      [chunk, size] = [[], 0];
    }
    chunk.push(row);
    size += row.text.length;
  }
  if (chunk.length > 0) yield chunk;
}

async function send(trx: AnyDatabase, text: string, values: readonly unknown[] = []): Promise<void> {
  await trx.getExecutor().executeQuery(CompiledQuery.raw(text, [...values]));
}

async function insert(trx: AnyDatabase, rows: readonly Prepared[]): Promise<void> {
  await send(trx, INSERT, [`[${rows.map(({ text }) => text).join(',')}]`]);
}

/** The statement fails as a whole, so halves are tried until one row is left. */
async function insertChunk(trx: AnyDatabase, rows: readonly Prepared[]): Promise<void> {
  const [first] = rows;
  await send(trx, 'savepoint aisec_insert_knowledge');
  try {
    await insert(trx, rows);
  } catch (error) {
    await send(trx, 'rollback to savepoint aisec_insert_knowledge').catch(() => undefined);
    if (rows.length > 1) {
      const middle = Math.ceil(rows.length / 2);
      await insertChunk(trx, rows.slice(0, middle));
      await insertChunk(trx, rows.slice(middle));
    }
    if (error instanceof Error && first !== undefined)
      error.message = `insertKnowledge: row ${first.place}: ${messageOf(error)}`;
    throw error;
  }
  await send(trx, 'release savepoint aisec_insert_knowledge');
}

async function insertAll(trx: AnyDatabase, rows: readonly Prepared[]): Promise<void> {
  for (const chunk of chunksOf(rows)) await insertChunk(trx, chunk);
}

/**
 * Inserts rows into knowledge_base with their embeddings, many in one statement, and returns their ids in the order of
 * the rows. All of them or none: outside of a transaction it takes one of its own. Inside of `withUser` the policies hold.
 *
 * @throws AisecError USAGE, with the number of the row from 0 on, before anything is sent: for an embedding that is not 1536
 *   finite numbers, a content that is not a text and a column that there is not. What PostgreSQL refuses comes as node-postgres throws it, with the
 *   row in front of its message.
 * @example
 * const ids = await withUser(db, userId, (trx) => insertKnowledge(trx, rows));
 */
export async function insertKnowledge(db: AnyDatabase, rows: readonly KnowledgeRow[]): Promise<string[]> {
  const prepared = rows.map(prepare);
  const plain = db.withoutPlugins();
  if (plain.isTransaction) await insertAll(plain, prepared);
  else await plain.transaction().execute((trx) => insertAll(trx, prepared));
  return prepared.map(({ id }) => id);
}
