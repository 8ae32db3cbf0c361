import { existsSync } from 'node:fs';
import { constants, cp, mkdir, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { inject } from 'vitest';

import { startPGlite } from '../../src/adapters/embedded/embedded.js';
import { createEmbeddedDirectory } from './database.js';
import type {} from './provided.js';
import { runInProcess } from './run-in-process.js';
import { waitFor } from './wait-for.js';

const MAKING_MS = 120_000;

/** Made under another name first, so that a worker that dies leaves nothing that looks like a template. */
async function migrate(template: string): Promise<void> {
  const made = await mkdtemp(`${template}-`);
  const dataDir = path.join(made, 'pgdata');
  const run = await runInProcess(['migrate', 'up', '--embedded'], { env: { AISEC_DATA_DIR: dataDir } });
  if (run.exitCode !== 0) throw new Error(`the embedded database could not be migrated\n${run.stderr}`);
  await rename(dataDir, template);
}

/** The run's one migrated embedded database. The first caller makes it, the others wait; a failure is everybody's. */
async function templateOfRun(): Promise<string> {
  const template = path.join(inject('runDirectory'), 'embedded');
  const failure = `${template}.failed`;
  const isMine = await mkdir(`${template}.making`).then(
    () => true,
    () => false,
  );
  if (isMine)
    await migrate(template).catch(async (error: unknown) => {
      await writeFile(failure, String(error));
    });
  await waitFor(() => Promise.resolve(existsSync(template) || existsSync(failure)), MAKING_MS);
  if (!existsSync(template)) throw new Error(await readFile(failure, 'utf8'));
  return template;
}

/** Makes an embedded database with all migrations applied, a copy of the run's template. Returns its data directory. */
export async function createMigratedEmbedded(): Promise<string> {
  const dataDir = path.join(await createEmbeddedDirectory(), 'pgdata');
  await cp(await templateOfRun(), dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE });
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
