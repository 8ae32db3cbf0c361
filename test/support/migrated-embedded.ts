import { constants, cpSync } from 'node:fs';
import path from 'node:path';

import { startPGlite } from '../../src/adapters/embedded/embedded.js';
import { createEmbeddedDirectory } from './database.js';
import { madeOnce } from './made-once.js';
import { monthOfNow } from './month-of-now.js';
import { runWell } from './run-in-process.js';

/** The run's one migrated embedded database. */
const templateOfRun = (): Promise<string> =>
  madeOnce(`embedded-${monthOfNow()}`, async (directory) => {
    const dataDir = path.join(directory, 'pgdata');
    await runWell(['migrate', 'up', '--embedded'], { AISEC_DATA_DIR: dataDir });
    return dataDir;
  });

/** Makes an embedded database with all migrations applied, a copy of the run's template. Returns its data directory. */
export async function createMigratedEmbedded(): Promise<string> {
  const dataDir = path.join(await createEmbeddedDirectory(), 'pgdata');
  // A thousand small files: one by one they take less than half of the CPU.
  cpSync(await templateOfRun(), dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE });
  return dataDir;
}

/** The rows of a query on an embedded database that nobody has open. */
export async function queryEmbedded(dataDir: string, sql: string, params: unknown[] = []): Promise<readonly unknown[]> {
  const engine = await startPGlite(dataDir);
  try {
    return (await engine.query(sql, params)).rows;
  } finally {
    await engine.close();
  }
}
