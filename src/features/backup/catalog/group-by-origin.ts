import type { Backup } from './directory.js';
import type { BackupOrigin } from './origin.js';

/** The backups of one database of one server. */
export interface OriginGroup {
  readonly database: string;
  /** Null: of backups whose manifests do not say it, while others of that name do. */
  readonly origin: BackupOrigin | null;
  readonly backups: readonly Backup[];
}

function originOf({ origin }: Backup['manifest']): BackupOrigin | null {
  return origin ?? null;
}

/**
 * Groups the backups of a directory by database and origin, in the order in which they come. One whose manifest does
 * not say its origin, as older ones, belongs to the only origin of its name, and to none where there are several.
 */
export function groupByOrigin(backups: readonly Backup[]): readonly OriginGroup[] {
  const databases = new Map<string, Backup[]>();
  for (const backup of backups) {
    const { database } = backup.manifest;
    databases.set(database, [...(databases.get(database) ?? []), backup]);
  }
  return [...databases].flatMap(([database, ofName]) => {
    const origins = new Map(
      ofName.flatMap(({ manifest }) => {
        const origin = originOf(manifest);
        return origin === null ? [] : [[origin.id, origin] as const];
      }),
    );
    if (origins.size <= 1) return [{ database, origin: [...origins.values()][0] ?? null, backups: ofName }];
    const groups: OriginGroup[] = [null, ...origins.values()].map((origin) => ({
      database,
      origin,
      backups: ofName.filter(({ manifest }) => originOf(manifest)?.id === origin?.id),
    }));
    return groups.filter((group) => group.backups.length > 0);
  });
}

/** Those of one database of one server identifier; an origin that could not be read has those that do not say theirs. */
export function backupsOfServer(
  backups: readonly Backup[],
  database: string,
  origin: BackupOrigin | null,
): readonly Backup[] {
  const groups = groupByOrigin(backups).filter((group) => group.database === database);
  const isOurs = (group: OriginGroup): boolean =>
    group.origin === null ? origin === null || groups.length === 1 : group.origin.id === origin?.id;
  return groups.filter(isOurs).flatMap((group) => group.backups);
}

function isSameAddress(a: BackupOrigin | null, b: BackupOrigin | null): boolean {
  return a?.address === undefined || b?.address === undefined || a.address === b.address;
}

/**
 * Those of them that a run on this database may count and remove: made at its address, or at one that is not said. A
 * server that was copied file by file, as staging from a snapshot of production, has the same identifier.
 */
export function backupsOf(
  backups: readonly Backup[],
  database: string,
  origin: BackupOrigin | null,
): readonly Backup[] {
  return backupsOfServer(backups, database, origin).filter(({ manifest }) => isSameAddress(originOf(manifest), origin));
}

/** Groups them as `backupsOf` distinguishes them, for a rule that is applied to all. */
export function groupByAddress(backups: readonly Backup[]): readonly OriginGroup[] {
  return groupByOrigin(backups).flatMap((group) => {
    const addresses = new Set(group.backups.map(({ manifest }) => originOf(manifest)?.address));
    if (addresses.size <= 1) return [group];
    return [...addresses].map((address) => {
      const ofAddress = group.backups.filter(({ manifest }) => originOf(manifest)?.address === address);
      return { ...group, origin: originOf((ofAddress[0] as Backup).manifest), backups: ofAddress };
    });
  });
}

/** Other origins of backups of a database of this name: those of other servers, in the same place. */
export function otherOrigins(
  backups: readonly Backup[],
  database: string,
  origin: BackupOrigin | null,
): readonly BackupOrigin[] {
  return groupByAddress(backups).flatMap((group) =>
    group.database === database &&
    group.origin !== null &&
    !(group.origin.id === origin?.id && isSameAddress(group.origin, origin))
      ? [group.origin]
      : [],
  );
}
