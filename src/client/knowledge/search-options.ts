import type { RawBuilder, SqlBool } from 'kysely';

import { AisecError } from '../../base/errors.js';
import { checkOptions } from '../check-arguments.js';
import type { Knowledge } from '../../schema/index.js';

/** How thoroughly to search: which of the two counts depends on the index that is there. */
export interface SearchEffort {
  /** Of hnsw: candidates kept, 1 to 1000. */
  readonly efSearch?: number;
  /** Of ivfflat: lists read, 1 to 32768. */
  readonly probes?: number;
}

/** A search by meaning, by words, or by both: `embedding`, `text`, or the two of them. */
export interface KnowledgeSearch {
  /** What to look for by its meaning: 1536 numbers of the model that made the embeddings of the table. */
  readonly embedding?: readonly number[] | undefined;
  /** What to look for by its words, as a person wrote it, in any language. The first 2,000 characters count. */
  readonly text?: string | undefined;
  /** How many rows, 1 to 1000. Default: 10. */
  readonly limit?: number;
  /** Only what this assistant knows. */
  readonly assistantId?: string;
  readonly sourceType?: string;
  /** Only rows that have all of these tags. */
  readonly tags?: readonly string[];
  /** Any further condition, on the columns of knowledge_base: sql<boolean>`created_at > ${since}`. */
  readonly where?: RawBuilder<SqlBool>;
  /** The embedding finds nothing that is farther away: 0 the same direction, 1 unrelated, 2 opposite. */
  readonly maxDistance?: number;
  /** `exact` compares every embedding. Default: as the database is set; see `aisec vector tune`. */
  readonly accuracy?: SearchEffort | 'exact';
}

/** A search by meaning alone. */
export interface VectorSearch extends KnowledgeSearch {
  readonly embedding: readonly number[];
  readonly text?: undefined;
}

export interface KnowledgeMatch extends Omit<Knowledge, 'embedding'> {
  /** Cosine distance, 0 to 2. */
  readonly distance: number;
}

/** Found by words, or by words and meaning. */
export interface RankedMatch extends Omit<Knowledge, 'embedding'> {
  /** Cosine distance, 0 to 2; null without an embedding of the search or of the row. */
  readonly distance: number | null;
  /** The greater the better, among the matches of one search only. */
  readonly score: number;
}

const OPTIONS: Readonly<Record<keyof KnowledgeSearch, true>> = {
  embedding: true,
  text: true,
  limit: true,
  assistantId: true,
  sourceType: true,
  tags: true,
  where: true,
  maxDistance: true,
  accuracy: true,
};

const ACCURACY: Readonly<Record<keyof Exclude<KnowledgeSearch['accuracy'], 'exact' | undefined>, true>> = {
  efSearch: true,
  probes: true,
};

const LONGEST_TEXT = 2000;

function usage(message: string, hint: string): AisecError {
  return new AisecError('USAGE', `searchKnowledge: ${message}`, { hint });
}

function checkRange(name: string, value: number | undefined, least: number, most: number, whole = true): void {
  if (value === undefined) return;
  if ((whole ? Number.isSafeInteger(value) : Number.isFinite(value)) && value >= least && value <= most) return;
  throw usage(`${name} is ${value}`, `It is a ${whole ? 'whole ' : ''}number from ${least} to ${most}.`);
}

/** @throws AisecError USAGE. */
export function checkSearch(search: KnowledgeSearch): void {
  checkOptions('searchKnowledge', search, OPTIONS, 'USAGE');
  const { embedding, text, limit, maxDistance, accuracy } = search;
  if (embedding === undefined && text === undefined)
    throw usage('neither embedding nor text is given', 'Give one of them, or both.');
  if (text !== undefined && typeof text !== 'string')
    throw usage('text is not a string', 'It is the question as it was asked.');
  checkRange('limit', limit, 1, 1000);
  checkRange('maxDistance', maxDistance, 0, 2, false);
  if (accuracy === undefined || accuracy === 'exact') return;
  checkOptions('searchKnowledge: accuracy', accuracy, ACCURACY, 'USAGE');
  checkRange('efSearch', accuracy.efSearch, 1, 1000);
  checkRange('probes', accuracy.probes, 1, 32_768);
}

/** What is sent of a question: PostgreSQL has no character NUL, and reads no more than this anyway. */
export function questionOf(text: string): string {
  return text.slice(0, LONGEST_TEXT).replaceAll('\0', ' ');
}
