import type { Backup, BackupFolder } from './folder.js';
import { groupByOrigin, type OriginGroup } from './group-by-origin.js';
import type { BackupOrigin } from './origin.js';
import { isVerified } from './manifest.js';
import { formatBytes } from '../../../base/bytes.js';
import { formatDurationMs } from '../../../base/duration.js';

export type BackupFindingKind = 'missing' | 'old' | 'shrunk' | 'damaged' | 'incomplete' | 'future' | 'not-deep';

/** One thing that is wrong with the backups of a database. Sentences; `mend` is a command. */
export interface BackupFinding {
  readonly kind: BackupFindingKind;
  readonly database: string;
  readonly file: string | null;
  readonly what: string;
  readonly why: string;
  readonly mend: string;
}

/** A size as a number of bytes, or as a share of what is usual. */
export type MinimalSize = { readonly bytes: number } | { readonly shareOfMedian: number };

export interface BackupCheckOptions {
  /** Of the newest verified one. */
  readonly maxAgeMs: number;
  /** Of the last restore that was tried; undefined: none is asked for. */
  readonly maxDeepAgeMs: number | undefined;
  readonly minSize: MinimalSize | undefined;
  /** Databases that must have backups; those that have some are looked at anyway. */
  readonly expected: readonly string[];
}

/** What the size of the newest one is compared with. */
const MEDIAN_OF = 10;

function ageText(from: Date, now: Date): string {
  return formatDurationMs(now.getTime() - from.getTime());
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function sizeFinding(verified: readonly Backup[], minSize: MinimalSize): BackupFinding | undefined {
  const ofItsFormat = verified.filter(({ manifest }) => manifest.format === verified[0]?.manifest.format);
  const [newest, ...others] = ofItsFormat.slice(0, MEDIAN_OF + 1);
  if (newest === undefined) return undefined;
  const { sizeBytes, database } = newest.manifest;
  const usual = median(others.map(({ manifest }) => manifest.sizeBytes));
  const least = 'bytes' in minSize ? minSize.bytes : usual * minSize.shareOfMedian;
  if (sizeBytes >= least) return undefined;
  const compared =
    'bytes' in minSize ? `${formatBytes(least)} were asked for` : `the ones before it had ${formatBytes(usual)}`;
  return {
    kind: 'shrunk',
    database,
    file: newest.file,
    what: `the newest backup of "${database}" has ${formatBytes(sizeBytes)}, and ${compared}`,
    why: 'A backup that shrinks often lacks what was deleted or emptied by mistake.',
    mend: `aisec backup list; and pin an older one before retention takes it: aisec backup pin FILE`,
  };
}

function ageFindings(
  database: string,
  verified: readonly Backup[],
  options: BackupCheckOptions,
  now: Date,
): readonly BackupFinding[] {
  const [newest] = verified;
  const why = 'What was written since the last good backup is lost with the server.';
  if (newest === undefined)
    return [
      {
        kind: 'missing',
        database,
        file: null,
        what: `there is no verified backup of "${database}"`,
        why: 'All of it is lost with the server.',
        mend: 'aisec backup',
      },
    ];
  const found: BackupFinding[] = [];
  if (now.getTime() - newest.createdAt.getTime() > options.maxAgeMs)
    found.push({
      kind: 'old',
      database,
      file: newest.file,
      what: `the newest verified backup of "${database}" is ${ageText(newest.createdAt, now)} old; at most ${formatDurationMs(options.maxAgeMs)} were asked for`,
      why,
      mend: 'aisec backup; and see why the job did not run',
    });
  if (options.maxDeepAgeMs !== undefined) {
    const deepTimes = verified.flatMap(({ manifest }) =>
      manifest.verifications.filter(({ level }) => level === 'deep').map(({ at }) => Date.parse(at)),
    );
    const last = Math.max(...deepTimes);
    if (now.getTime() - last > options.maxDeepAgeMs)
      found.push({
        kind: 'not-deep',
        database,
        file: newest.file,
        what: `no backup of "${database}" was restored to try it for ${Number.isFinite(last) ? ageText(new Date(last), now) : 'as long as there are backups'}`,
        why: 'Only a restore shows that a backup can be restored.',
        mend: 'aisec backup verify --deep',
      });
  }
  return found;
}

function brokenFindings(folder: BackupFolder, now: Date): readonly BackupFinding[] {
  return [
    ...folder.backups.flatMap(({ file, manifest }): readonly BackupFinding[] =>
      manifest.damage === null
        ? []
        : [
            {
              kind: 'damaged',
              database: manifest.database,
              file,
              what: `${file} is damaged: ${manifest.damage.reason}`,
              why: 'It cannot be relied on, and is not counted by retention.',
              mend: `remove it, or verify it again: aisec backup verify ${file}`,
            },
          ],
    ),
    ...folder.incomplete.map((each): BackupFinding => ({
      kind: 'incomplete',
      database: each.database,
      file: each.file,
      what: `${each.file} is no whole backup: ${each.reason}`,
      why: 'It is not counted, and never removed by retention.',
      mend: 'bring its other part back, or remove it',
    })),
    ...folder.backups.flatMap(({ file, manifest, createdAt }): readonly BackupFinding[] =>
      createdAt <= now
        ? []
        : [
            {
              kind: 'future',
              database: manifest.database,
              file,
              what: `${file} is dated later than now`,
              why: 'A clock was wrong when it was made, or is wrong now; ages cannot be told.',
              mend: 'set the clock right: timedatectl set-ntp true',
            },
          ],
    ),
  ];
}

function byDatabase(a: OriginGroup, b: OriginGroup): number {
  return a.database < b.database ? -1 : Number(a.database > b.database);
}

function originText(origin: BackupOrigin | null): string {
  return origin === null ? 'of the one whose backups do not say their server' : `of the one on ${origin.label}`;
}

/** What is wrong with what a folder holds, at this moment; pure. */
export function findBackupFaults(
  folder: BackupFolder,
  options: BackupCheckOptions,
  now: Date,
): readonly BackupFinding[] {
  const groups = groupByOrigin(folder.backups);
  const absent = options.expected
    .filter((name) => !groups.some(({ database }) => database === name))
    .map((database): OriginGroup => ({ database, origin: null, backups: [] }));
  return [
    ...[...groups, ...absent].toSorted(byDatabase).flatMap(({ database, origin, backups }) => {
      const verified = backups.filter(({ manifest, createdAt }) => isVerified(manifest) && createdAt <= now);
      const size = options.minSize === undefined ? undefined : sizeFinding(verified, options.minSize);
      const found = [...ageFindings(database, verified, options, now), ...(size === undefined ? [] : [size])];
      const isShared = groups.filter((group) => group.database === database).length > 1;
      return isShared ? found.map((each) => ({ ...each, what: `${each.what}, ${originText(origin)}` })) : found;
    }),
    ...brokenFindings(folder, now),
  ];
}
