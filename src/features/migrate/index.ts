// What a test database is made with.
export { type MigrationFile } from './files/migration-file.js';
export { readMigrations } from './files/read-migrations.js';
export { labelOf, type SourcedName } from './files/source.js';
export { type Comparison, type MigrateSettings } from './prepare.js';
export { migrateUp } from './up.js';
