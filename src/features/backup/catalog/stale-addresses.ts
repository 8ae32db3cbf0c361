import type { Backup } from './directory.js';
import { recoveryPointOf } from './standby.js';

/** An address that has no recent backup, while another one of the same server identifier has. */
export interface StaleAddress {
  readonly address: string;
  readonly freshAddress: string;
  /** Of the stale one. */
  readonly newest: Backup;
}

/**
 * Addresses of one server identifier whose backups stopped while those of another went on: a server and its copy, as staging from a
 * snapshot of production. A server that moved, or a standby that took over, began only when the other had ended, and is none.
 *
 * @param verified of one origin, the newest first
 */
export function staleAddresses(verified: readonly Backup[], maxAgeMs: number, now: Date): readonly StaleAddress[] {
  const byAddress = new Map<string, Backup[]>();
  for (const backup of verified) {
    const address = backup.manifest.origin?.address;
    if (address !== undefined) byAddress.set(address, [...(byAddress.get(address) ?? []), backup]);
  }
  const isFresh = (backups: readonly Backup[]): boolean =>
    backups.some(({ manifest }) => now.getTime() - recoveryPointOf(manifest).getTime() <= maxAgeMs);
  const fresh = [...byAddress].filter(([, backups]) => isFresh(backups));
  return [...byAddress].flatMap(([address, backups]) => {
    const [newest] = backups;
    if (newest === undefined || isFresh(backups)) return [];
    const beside = fresh.find(([, others]) => others.some(({ createdAt }) => createdAt < newest.createdAt));
    return beside === undefined ? [] : [{ address, freshAddress: beside[0], newest }];
  });
}
