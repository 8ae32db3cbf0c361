export { ConnectionLostError } from './adapters/postgres/pool/connection-lost.js';
export { type PoolStats } from './adapters/postgres/pool/pool-driver.js';
export { AisecError, ERROR_TITLES, type ErrorCode } from './base/errors.js';
export { assertSchema } from './client/assert-schema.js';
export { checkHealth, type HealthOptions, type HealthReport } from './client/health/check-health.js';
export type { HealthCheck } from './client/health/health-check.js';
export { closeDatabase, type CloseOptions } from './client/close-database.js';
export { createCache, type Cache, type CacheOptions } from './client/create-cache.js';
export { createDatabase, type DatabaseOptions } from './client/create-database.js';
export { EMBEDDING_DIMENSIONS, toVector } from './client/embedding.js';
export {
  listMessages,
  streamMessages,
  type MessagePage,
  type MessagePageOptions,
  type MessageStreamOptions,
} from './client/list-messages.js';
export { hashPassword, verifyPassword } from './client/password.js';
export { insertKnowledge, type KnowledgeRow } from './client/knowledge/insert-knowledge.js';
export { searchKnowledge } from './client/knowledge/search-knowledge.js';
export {
  eraseUser,
  type EraseUserOptions,
  type ErasureCertificate,
  type ErasureStep,
} from './client/person/erase-user.js';
export { exportUser, type ExportUserOptions, type UserExport } from './client/person/export-user.js';
export { poolStats } from './client/pool-stats.js';
export {
  type KnowledgeMatch,
  type KnowledgeSearch,
  type RankedMatch,
  type SearchEffort,
  type VectorSearch,
} from './client/knowledge/search-options.js';
export { type CacheStatus } from './client/tiered-cache.js';
export { withSavepoint } from './client/with-savepoint.js';
export { withUser, type UserOptions } from './client/with-user.js';
export { writePosition } from './client/write-position.js';
