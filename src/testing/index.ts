export { createTestDatabase } from './create-test-database.js';
export type { Factories, Referred } from './factories.js';
export { createTestCache } from './test-cache.js';
export type { TestDatabase, TestDatabaseOptions } from './test-database.js';
export { useTestDatabase, type TestHooks } from './use-test-database.js';
