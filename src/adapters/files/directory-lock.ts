import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { makeDirectory } from './make-directory.js';
import { currentProcess, isRunning, type ProcessIdentity } from './process-identity.js';

const WAIT_FOR_CLAIM_MS = 20;

export interface LockHolder extends ProcessIdentity {
  readonly command: string;
  /** RFC 3339. */
  readonly since: string;
}

export type LockAttempt =
  | { readonly isHeld: true; readonly release: () => void }
  | { readonly isHeld: false; readonly holder: LockHolder; readonly file: string; readonly canBeJudged: boolean };

interface Claim {
  readonly name: string;
  readonly isHeld: boolean;
  readonly holder: LockHolder;
  readonly isAlive: boolean | undefined;
}

/** Undefined for what is no claim: cut off by a crash of the machine, so of a process that is gone. */
function readClaim(directory: string, name: string): Claim | undefined {
  const text = readFileSync(join(directory, name), 'utf8');
  try {
    const holder = JSON.parse(text) as LockHolder;
    return { name, isHeld: name.startsWith('held-'), holder, isAlive: isRunning(holder) };
  } catch {
    return undefined;
  }
}

/** What the others have announced, less what dead processes left: a file names one process, and a dead one never comes back. */
function liveClaims(directory: string, own: string): readonly Claim[] {
  const claims: Claim[] = [];
  for (const name of readdirSync(directory).filter((each) => /^(claim|held)-/.test(each) && !each.endsWith(own))) {
    try {
      const claim = readClaim(directory, name);
      if (claim !== undefined && claim.isAlive !== false) claims.push(claim);
      if (claim?.isAlive === false) rmSync(join(directory, name), { force: true });
    } catch (error) {
      // Given back between the listing and the reading.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return claims;
}

/**
 * Tries to take the lock that `directory` stands for; never waits for a holder.
 *
 * Files that each name one process, so that removing a stale one cannot hit a live one (the fault of takeover by
 * unlink). A process announces itself (claim-…), then looks at the others: a holder wins; among claims the smaller name
 * wins, and the larger gives up. The claim stays beside held-… for as long as the lock is held, since a listing may
 * miss a file that is renamed or made meanwhile, never one that is there all the time. A killed process leaves files
 * that the next one recognises as dead by pid and start time.
 *
 * @throws what the file system throws: no space, no permission.
 */
export async function tryDirectoryLock(directory: string, command: string): Promise<LockAttempt> {
  makeDirectory(directory);
  const identity = currentProcess();
  // By chance, too: one process may try twice, and two containers on one directory may both be process 1.
  const own = `${String(identity.pid).padStart(10, '0')}-${randomBytes(6).toString('hex')}.json`;
  const [draft, claim, held] = ['draft', 'claim', 'held'].map((kind) => join(directory, `${kind}-${own}`)) as [
    string,
    string,
    string,
  ];
  const content: LockHolder = { ...identity, command, since: new Date().toISOString() };
  const announce = (file: string): void => {
    writeFileSync(draft, JSON.stringify(content), { mode: 0o600 });
    renameSync(draft, file);
  };
  const release = (): void => {
    for (const file of [held, claim, draft]) rmSync(file, { force: true });
  };
  try {
    announce(claim);
    for (;;) {
      const others = liveClaims(directory, own);
      const winner =
        others.find((other) => other.isHeld) ?? others.find((other) => join(directory, other.name) < claim);
      if (winner !== undefined) {
        release();
        const file = join(directory, winner.name);
        return { isHeld: false, holder: winner.holder, file, canBeJudged: winner.isAlive === true };
      }
      if (others.length === 0) break;
      await delay(WAIT_FOR_CLAIM_MS);
    }
    announce(held);
    return { isHeld: true, release };
  } catch (error) {
    release();
    throw error;
  }
}
