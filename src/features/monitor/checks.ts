export { readIndexFacts, type IndexFacts } from './indexes/index-facts.js';
export { dropIndexSql } from './indexes/index-verdict.js';
export { readMissingIndexes, type MissingIndex } from './indexes/missing-indexes.js';
