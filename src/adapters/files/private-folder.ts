import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { currentProcess, isRunning, type ProcessIdentity } from './process-identity.js';

const OWNER = 'owner.json';

/** What runs that were killed have left. */
function sweep(parent: string, prefix: string): void {
  for (const name of readdirSync(parent).filter((each) => each.startsWith(prefix))) {
    try {
      const owner = JSON.parse(readFileSync(join(parent, name, OWNER), 'utf8')) as ProcessIdentity;
      if (isRunning(owner) === false) rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Of another user, or just being made.
    }
  }
}

/**
 * Runs the callback with a new temporary folder that only the owner can enter. It goes whatever happens; a killed run's
 * goes with the next one.
 *
 * @param prefix of its name, one for each use
 */
export async function withPrivateFolder<Result>(
  prefix: string,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  sweep(tmpdir(), prefix);
  const folder = join(tmpdir(), `${prefix}${process.pid}-${randomBytes(6).toString('hex')}`);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  process.once('exit', remove);
  try {
    writeFileSync(join(folder, OWNER), JSON.stringify(currentProcess()), { mode: 0o600, flag: 'wx' });
    return await use(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}
