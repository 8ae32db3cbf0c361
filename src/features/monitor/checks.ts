export { notSeen } from './inspection/skip.js';
export { LIVE_CHECKS } from './live/all-checks.js';
export { inSql, readFamilies, type Family } from './live/vacuum-rows.js';
export { onPrimary } from './live/on-primary.js';
export { once, type Once } from './live/once.js';
export type { Thresholds } from './live/thresholds.js';
export { readIndexFacts, type IndexFacts } from './indexes/index-facts.js';
export { dropIndexSql } from './indexes/index-verdict.js';
export { readMissingIndexes, type MissingIndex } from './indexes/missing-indexes.js';
