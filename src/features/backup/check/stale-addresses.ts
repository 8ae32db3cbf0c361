import type { Backup } from '../catalog/directory.js';
import { recoveryPointOf } from '../catalog/standby.js';

/** An address that has no recent backup, while another one of the same server identifier has. */
export interface StaleAddress {
  readonly address: string;
  readonly freshAddress: string;
  /** Of the stale one. */
  readonly newest: Backup;
}

/** The backups of each address, the newest first; those that do not say theirs are together. */
function byAddress(verified: readonly Backup[]): ReadonlyMap<string | undefined, readonly Backup[]> {
  const found = new Map<string | undefined, Backup[]>();
  for (const backup of verified) {
    const address = backup.manifest.origin?.address;
    found.set(address, [...(found.get(address) ?? []), backup]);
  }
  return found;
}

function isFresh(backups: readonly Backup[], maxAgeMs: number, now: Date): boolean {
  return backups.some(({ manifest }) => now.getTime() - recoveryPointOf(manifest).getTime() <= maxAgeMs);
}

/** By address: the newest of all, and whatever else has a recent one. */
export function currentAddresses(
  verified: readonly Backup[],
  maxAgeMs: number,
  now: Date,
): readonly (readonly Backup[])[] {
  return [...byAddress(verified).values()].filter((each, index) => index === 0 || isFresh(each, maxAgeMs, now));
}

/**
 * Addresses of one server identifier whose backups stopped while those of another went on: a server and its copy, as staging from a
 * snapshot of production. A server that moved, or a standby that took over, began only when the other had ended, and is none.
 *
 * @param verified of one origin, the newest first
 */
export function staleAddresses(verified: readonly Backup[], maxAgeMs: number, now: Date): readonly StaleAddress[] {
  const addresses = [...byAddress(verified)].flatMap(([address, backups]) =>
    address === undefined ? [] : [[address, backups] as const],
  );
  const fresh = addresses.filter(([, backups]) => isFresh(backups, maxAgeMs, now));
  return addresses.flatMap(([address, backups]) => {
    const [newest] = backups;
    if (newest === undefined || isFresh(backups, maxAgeMs, now)) return [];
    const beside = fresh.find(([, others]) => others.some(({ createdAt }) => createdAt < newest.createdAt));
    return beside === undefined ? [] : [{ address, freshAddress: beside[0], newest }];
  });
}
