import { shellWord } from '../../../base/package/aisec-command.js';
import type { Backup } from '../catalog/directory.js';
import { groupByOrigin, type OriginGroup } from '../catalog/group-by-origin.js';
import { currentAddresses, staleAddresses } from './stale-addresses.js';
import { isVerifiedFull } from '../catalog/manifest.js';
import type { BackupOrigin } from '../catalog/origin.js';
import { recoveryPointOf } from '../catalog/standby.js';
import { formatBytes } from '../../../base/bytes.js';
import { formatDurationMs } from '../../../base/duration.js';
import { median } from '../../../base/median.js';
import { brokenFindings, type CheckedBackups, type CheckedPlace } from './broken-findings.js';
import { backupFinding, type BackupFinding } from './finding.js';

/** A recovery that was tried, whatever became of it. */
export interface RecordedDrill {
  readonly startedAt: string;
  readonly isPassed: boolean;
  readonly database: string;
  readonly originId: string | null;
}

/** A size as a number of bytes, or as a share of what is usual. */
export type MinimalSize = { readonly bytes: number } | { readonly shareOfMedian: number };

export interface BackupCheckOptions {
  /** Of the newest verified one. */
  readonly maxAgeMs: number;
  /** Of the last restore that was tried; undefined: none is asked for. */
  readonly maxDeepAgeMs: number | undefined;
  /** Of the last drill that passed, and those that are recorded; undefined: none is asked for. */
  readonly drills?: { readonly maxAgeMs: number; readonly recorded: readonly RecordedDrill[] } | undefined;
  readonly minSize: MinimalSize | undefined;
  /** Databases that must have backups; those that have some are looked at anyway. */
  readonly expected: readonly string[];
}

/** What the size of the newest one is compared with. */
const MEDIAN_OF = 10;

function ageText(from: Date, now: Date): string {
  return formatDurationMs(now.getTime() - from.getTime());
}

function sizeFinding(
  verified: readonly Backup[],
  minSize: MinimalSize,
  { reach }: CheckedPlace,
): BackupFinding | undefined {
  const ofItsFormat = verified.filter(({ manifest }) => manifest.format === verified[0]?.manifest.format);
  const [newest, ...others] = ofItsFormat.slice(0, MEDIAN_OF + 1);
  if (newest === undefined) return undefined;
  const { sizeBytes, database } = newest.manifest;
  const usual = others.length === 0 ? 0 : median(others.map(({ manifest }) => manifest.sizeBytes));
  const least = 'bytes' in minSize ? minSize.bytes : usual * minSize.shareOfMedian;
  if (sizeBytes >= least) return undefined;
  const compared =
    'bytes' in minSize ? `${formatBytes(least)} were asked for` : `the ones before it had ${formatBytes(usual)}`;
  const [before] = others;
  return backupFinding(
    'shrunk',
    { database, file: newest.file },
    {
      message: `the newest backup of "${database}" has ${formatBytes(sizeBytes)}, and ${compared}`,
      impact:
        'a backup that shrinks often lacks what was deleted or emptied by mistake; pin an older one before retention deletes it',
      fix: before === undefined ? null : `aisec backup pin ${shellWord(before.file)}${reach}`,
    },
  );
}

/** A backup is as old as its rows, whenever it was made. */
function lagText({ manifest: { standby } }: Backup): string {
  const lagMs = standby?.lagMs ?? 0;
  return lagMs === 0 ? '' : `, by the ${formatDurationMs(lagMs)} that its standby was behind`;
}

function ageFindings(
  database: string,
  verified: readonly Backup[],
  options: BackupCheckOptions & CheckedPlace,
  now: Date,
): readonly BackupFinding[] {
  const [newest] = verified;
  const fix = options.makeCommand;
  if (newest === undefined)
    return [
      backupFinding(
        'missing',
        { database, file: null },
        {
          message: `there is no verified backup of "${database}"`,
          impact: 'if the server fails, all data is lost',
          fix,
        },
      ),
    ];
  const found: BackupFinding[] = [];
  const of = { database, file: newest.file };
  const at = recoveryPointOf(newest.manifest);
  if (now.getTime() - at.getTime() > options.maxAgeMs)
    found.push(
      backupFinding('old', of, {
        message: `the newest verified backup of "${database}" is ${ageText(at, now)} old${lagText(newest)}; at most ${formatDurationMs(options.maxAgeMs)} were asked for`,
        impact: 'if the server fails, everything written since that backup is lost; find out why the job did not run',
        fix,
      }),
    );
  if (options.maxDeepAgeMs === undefined) return found;
  const deepTimes = verified.flatMap(({ manifest }) =>
    manifest.verifications.filter(({ level }) => level === 'deep').map(({ at }) => Date.parse(at)),
  );
  const last = Math.max(...deepTimes);
  if (now.getTime() - last <= options.maxDeepAgeMs) return found;
  const since = Number.isFinite(last) ? ageText(new Date(last), now) : 'as long as there are backups';
  return [
    ...found,
    backupFinding('not-deep', of, {
      message: `no backup of "${database}" was restored to try it for ${since}`,
      impact: 'only a restore shows that a backup can be restored',
      fix: `aisec backup verify --deep ${shellWord(newest.file)}${options.reach}`,
    }),
  ];
}

function drillFinding(
  { database, origin }: OriginGroup,
  { drills, drillCommand }: BackupCheckOptions & CheckedPlace,
  now: Date,
): BackupFinding | undefined {
  if (drills === undefined) return undefined;
  const { maxAgeMs, recorded } = drills;
  const ofOrigin = (id: string | null): boolean => id === null || origin === null || id === origin.id;
  const ours = recorded.filter((drill) => drill.database === database && ofOrigin(drill.originId));
  const last = Math.max(...ours.filter(({ isPassed }) => isPassed).map(({ startedAt }) => Date.parse(startedAt)));
  if (now.getTime() - last <= maxAgeMs) return undefined;
  const failed = ours.at(-1)?.isPassed === false ? '; the last one failed' : '';
  const message = Number.isFinite(last)
    ? `the last drill of "${database}" that passed is ${ageText(new Date(last), now)} old; at most ${formatDurationMs(maxAgeMs)} were asked for${failed}`
    : `no drill of "${database}" has passed yet${failed}`;
  return backupFinding(
    'no-drill',
    { database, file: null },
    { message, impact: 'whether it can be recovered, and how long that takes, is not known', fix: drillCommand },
  );
}

/** Fresh backups of one address may hide that another, perhaps production, has none any more. */
function addressFindings(
  database: string,
  verified: readonly Backup[],
  { maxAgeMs }: BackupCheckOptions,
  now: Date,
): readonly BackupFinding[] {
  return staleAddresses(verified, maxAgeMs, now).map(({ newest, address, freshAddress }) =>
    backupFinding(
      'stale-address',
      { database, file: newest.file },
      {
        message: `the newest verified backup of "${database}" at ${address} is ${ageText(recoveryPointOf(newest.manifest), now)} old; the newer ones are of ${freshAddress}, which has the same system identifier`,
        impact: `a copy of a server made file by file has its identifier: if ${address} is still at work, it has no recent backup; if it is gone, delete its backups here`,
        fix: null,
      },
    ),
  );
}

function byDatabase(a: OriginGroup, b: OriginGroup): number {
  return a.database < b.database ? -1 : Number(a.database > b.database);
}

function originText(origin: BackupOrigin | null): string {
  return origin === null ? 'of the one whose backups do not say their server' : `of the one on ${origin.label}`;
}

/** What is wrong with what a directory or a store holds, at this moment; pure. */
export function backupFindings(
  found: CheckedBackups,
  options: BackupCheckOptions & CheckedPlace,
  now: Date,
): readonly BackupFinding[] {
  const groups = groupByOrigin(found.backups);
  const absent = options.expected
    .filter((name) => !groups.some(({ database }) => database === name))
    .map((database): OriginGroup => ({ database, origin: null, backups: [] }));
  return [
    ...[...groups, ...absent].toSorted(byDatabase).flatMap(({ database, origin, backups }) => {
      const verified = backups.filter(({ manifest, createdAt }) => isVerifiedFull(manifest) && createdAt <= now);
      const { minSize } = options;
      const sizes =
        minSize && currentAddresses(verified, options.maxAgeMs, now).map((each) => sizeFinding(each, minSize, options));
      const drill = verified.length === 0 ? undefined : drillFinding({ database, origin, backups }, options, now);
      const ages = [
        ...ageFindings(database, verified, options, now),
        ...addressFindings(database, verified, options, now),
      ];
      const ofGroup = [...ages, ...(sizes ?? []), drill].filter((each) => each !== undefined);
      const isShared = groups.filter((group) => group.database === database).length > 1;
      return isShared
        ? ofGroup.map((each) => ({ ...each, message: `${each.message}, ${originText(origin)}` }))
        : ofGroup;
    }),
    ...brokenFindings(found, options, now),
  ];
}
