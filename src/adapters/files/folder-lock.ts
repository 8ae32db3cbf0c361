import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

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

function readClaim(folder: string, name: string): Claim | undefined {
  try {
    const holder = JSON.parse(readFileSync(join(folder, name), 'utf8')) as LockHolder;
    return { name, isHeld: name.startsWith('held-'), holder, isAlive: isRunning(holder) };
  } catch {
    return undefined;
  }
}

/** Removes what dead processes left. Safe at any time: each file names one process, and a dead one never comes back. */
function liveClaims(folder: string, own: string): readonly Claim[] {
  const claims = readdirSync(folder)
    .filter((name) => /^(claim|held)-/.test(name) && !name.endsWith(own))
    .map((name) => readClaim(folder, name))
    .filter((claim) => claim !== undefined);
  for (const dead of claims.filter((claim) => claim.isAlive === false))
    rmSync(join(folder, dead.name), { force: true });
  return claims.filter((claim) => claim.isAlive !== false);
}

/**
 * Tries to take the lock that `folder` stands for; never waits for a holder.
 *
 * One file a process, so that removing a stale one cannot hit a live one (the fault of takeover by unlink): a process
 * announces itself (claim-…), then looks at the others. A holder wins; among claims the smaller name wins, and the
 * larger gives up. A killed process leaves a file that the next one recognises as dead by pid and start time.
 */
export async function tryFolderLock(folder: string, command: string): Promise<LockAttempt> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const identity = currentProcess();
  const own = `${String(identity.pid).padStart(10, '0')}-${identity.startTime}.json`;
  const draft = join(folder, `draft-${own}`);
  const content: LockHolder = { ...identity, command, since: new Date().toISOString() };
  writeFileSync(draft, JSON.stringify(content), { mode: 0o600 });
  renameSync(draft, join(folder, `claim-${own}`));
  for (;;) {
    const others = liveClaims(folder, own);
    const winner = others.find((other) => other.isHeld) ?? others.find((other) => other.name < `claim-${own}`);
    if (winner !== undefined) {
      rmSync(join(folder, `claim-${own}`), { force: true });
      return {
        isHeld: false,
        holder: winner.holder,
        file: join(folder, winner.name),
        canBeJudged: winner.isAlive === true,
      };
    }
    if (others.length === 0) break;
    await delay(WAIT_FOR_CLAIM_MS);
  }
  renameSync(join(folder, `claim-${own}`), join(folder, `held-${own}`));
  return { isHeld: true, release: () => rmSync(join(folder, `held-${own}`), { force: true }) };
}
