import { AisecError } from '../base/errors.js';

/** The length of knowledge_base.embedding. */
export const EMBEDDING_DIMENSIONS = 1536;

function invalid(message: string): AisecError {
  return new AisecError('USAGE', `the embedding ${message}`, {
    hint: `It is an array of ${EMBEDDING_DIMENSIONS} finite numbers, as the model returned it.`,
  });
}

/**
 * The text that PostgreSQL reads as a `vector`, for inserts and updates: `embedding: toVector(numbers)`.
 *
 * @throws AisecError USAGE for another length than 1536, for NaN and infinity, and for zeros only: a vector without a
 *   direction has no cosine distance and is found by no index.
 */
export function toVector(embedding: readonly number[]): string {
  if (!Array.isArray(embedding)) throw invalid('is not an array');
  if (embedding.length !== EMBEDDING_DIMENSIONS) throw invalid(`has ${embedding.length} dimensions`);
  let isZero = true;
  for (const [index, value] of (embedding as readonly unknown[]).entries()) {
    // Math.fround: the server keeps 4-byte floats and refuses what does not fit.
    if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
      throw invalid(`has ${String(value)} at position ${index}`);
    if (Math.fround(value) !== 0) isZero = false;
  }
  if (isZero) throw invalid('is zero in every position');
  return `[${embedding.join(',')}]`;
}
