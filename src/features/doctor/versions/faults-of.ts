import type { KnownFault } from './known-faults.js';

const numbers = (version: string): readonly number[] =>
  version.split('.').map((part) => Number.parseInt(part, 10) || 0);

/** Negative when `one` is the older. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [numbers(one), numbers(other)];
  for (let place = 0; place < Math.max(left.length, right.length); place += 1) {
    const difference = (left[place] ?? 0) - (right[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isIn(version: string, series: string): boolean {
  return version === series || version.startsWith(`${series}.`);
}

/** Of a series for which no fix is listed: fixed if it is newer than all of those, and never to be fixed if it is older. */
function hasFault(version: string, { fixedIn, since }: KnownFault): boolean {
  if (since !== undefined && compareVersions(version, since) < 0) return false;
  const own = Object.entries(fixedIn).find(([series]) => isIn(version, series));
  if (own !== undefined) return compareVersions(version, own[1]) < 0;
  return Object.keys(fixedIn).some((series) => compareVersions(version, series) < 0);
}

/** The known faults of a version, in the order of the list. */
export function faultsOf(version: string, faults: readonly KnownFault[]): readonly KnownFault[] {
  return faults.filter((fault) => hasFault(version, fault));
}

/** The version of the same series that has none of them; undefined where the series gets no more fixes. */
export function fixedVersion(version: string, faults: readonly KnownFault[]): string | undefined {
  const fixes = faults.map(({ fixedIn }) => Object.entries(fixedIn).find(([series]) => isIn(version, series))?.[1]);
  if (fixes.includes(undefined)) return undefined;
  return fixes
    .flatMap((fix) => fix ?? [])
    .toSorted(compareVersions)
    .at(-1);
}
