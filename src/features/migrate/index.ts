// What a test database is made with.
export { type MigrationFile } from './files/migration-file.js';
export { readMigrationFolder } from './files/migration-folder.js';
export { migrateUp } from './up.js';
