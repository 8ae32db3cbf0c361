export { readIndexFacts, type IndexFacts } from './index-facts.js';
export { dropIndexSql } from './index-verdict.js';
export { readMissingIndexes, type MissingIndex } from './missing-indexes.js';
