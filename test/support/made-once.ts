import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { inject } from 'vitest';

import type {} from './provided.js';
import { waitFor } from './wait-for.js';

const MAKING_MS = 150_000;

/**
 * The path of what is made once in a run, for every worker. The first caller makes it, the others wait; a failure is everybody's.
 *
 * @param name of its own among those of the run
 * @param make in an empty directory; returns the path of what was made
 */
export async function madeOnce(name: string, make: (directory: string) => Promise<string>): Promise<string> {
  const made = path.join(inject('runDirectory'), name);
  const failure = `${made}.failed`;
  const isMine = await mkdir(`${made}.making`).then(
    () => true,
    () => false,
  );
  if (isMine) {
    // Under another name first, so that a worker that dies leaves nothing that looks like it.
    const making = async (): Promise<void> => rename(await make(await mkdtemp(`${made}-`)), made);
    await making().catch((error: unknown) => writeFile(failure, String(error)));
  }
  await waitFor(() => Promise.resolve(existsSync(made) || existsSync(failure)), MAKING_MS);
  if (!existsSync(made)) throw new Error(await readFile(failure, 'utf8'));
  return made;
}
