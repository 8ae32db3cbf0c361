import { mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import { runWell } from './run-in-process.js';

/** Of programs that are newer than the server, which is how some tests are run on purpose. */
const NEWER_PROGRAMS = /^warning: \S+pg_dump is version .*\n/gm;

/** What a run said, but for the warning that pg_dump is newer than the server. */
export function withoutVersionWarning(stderr: string): string {
  return stderr.replaceAll(NEWER_PROGRAMS, '');
}

/** Backs a database up with `aisec backup` and gives the backup and its manifest this path, its roles what belongs to it. */
export async function takeBackup(url: string, file: string): Promise<void> {
  const directory = await mkdtemp(path.join(path.dirname(file), 'taking-'));
  const run = await runWell(['backup', '--dir', directory, '--json'], { DATABASE_URL: url });
  if (withoutVersionWarning(run.stderr).includes('warning')) throw new Error(`aisec backup warned:\n${run.stderr}`);
  const made = String(JSON.parse(run.stdout).file);
  await rename(made, file);
  await rename(`${made}.json`, `${file}.json`);
  await rename(made.replace(/\.dump$/, '.globals.sql'), file.replace(/(\.dump)?$/, '.globals.sql'));
  await rm(directory, { recursive: true });
}
