import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

import { changedModule } from '../../.config/compiled-source.js';
import { closingLine } from './closing-line-reporter.js';
import { climbLadder } from './database-ladder.js';
import { dropDatabasesOfRun, dropForgottenDatabases } from './database-names.js';
import type {} from './provided.js';

const withoutDatabases = new Set(['unit', 'architecture', 'types']);

/** Finds the databases once a run, says which, and removes what the run made. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runId = `${Math.floor(Date.now() / 1000).toString(36)}_${randomBytes(2).toString('hex')}`;
  project.provide('runId', runId);
  const runDirectory = await mkdtemp(path.join(tmpdir(), 'aisec-test-run-'));
  project.provide('runDirectory', runDirectory);
  if (project.vitest.projects.every(({ name }) => withoutDatabases.has(name))) {
    project.provide('databaseUrl', null);
    project.provide('redisUrl', null);
    project.provide('databases', null);
    return () => rm(runDirectory, { recursive: true, force: true });
  }

  const changed = changedModule();
  if (changed !== undefined) endRun(new Error(`src/${changed} was changed after it was built: run npm run build`));
  const ladder = await climbLadder(process.env).catch(endRun);
  project.provide('databaseUrl', ladder.databaseUrl);
  project.provide('redisUrl', ladder.redisUrl);
  project.provide('databases', ladder.summary);
  console.log(ladder.summary);
  if (ladder.databaseUrl) await dropForgottenDatabases(ladder.databaseUrl);

  return async () => {
    if (ladder.databaseUrl) await dropDatabasesOfRun(ladder.databaseUrl, runId);
    await ladder.stop();
    await rm(runDirectory, { recursive: true, force: true });
  };
}

/** Thrown, the message would drown in stack frames; and no test can run so. */
function endRun(error: unknown): never {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  console.log(closingLine({ passed: 0, failed: 1, skipped: 0 }));
  process.exit(1);
}
