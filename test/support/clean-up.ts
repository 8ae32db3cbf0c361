import { afterAll } from 'vitest';
import { cleanUpDatabases } from './database.js';
import { removeMigrationsFolders } from './migrations-folder.js';
import { killLeftovers } from './run-cli.js';

// A set-up file: its afterAll was registered first, so it runs after those of the test file.
afterAll(async () => {
  killLeftovers();
  removeMigrationsFolders();
  await cleanUpDatabases();
});
