/** What the index holds of an embedding: all of it, or each number in two bytes instead of four. */
export type VectorType = 'vector' | 'halfvec';

/**
 * halfvec has 11 bits where a float has 24: neighbours may change places, and few move farther than this. So many more are
 * taken from an index on halfvec, and compared again with the whole embedding.
 */
export const HALF_SPARE = 20;
