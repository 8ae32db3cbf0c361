import { expect, test } from 'vitest';

import { isVerified, type BackupManifest } from '../../../../../src/features/backup/catalog/manifest.js';
import type { PlaceCounts, PlaceUnit } from '../../../../../src/features/backup/catalog/places.js';
import { planRetention, type Retained } from '../../../../../src/features/backup/catalog/retention.js';
import { chance, rounds } from '../../../../support/chance.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const damage = { at: '2026-01-01T00:00:00Z', reason: 'x' };
const verifications = [{ level: 'read', at: '2026-01-01T00:00:00Z' }] as const;

function backup(time: string, changes: Partial<BackupManifest> = {}): Retained {
  const manifest = { format: 'custom', isPinned: false, verifications, damage: null, ...changes } as const;
  return { file: `${time}.dump`, createdAt: new Date(time), manifest };
}

/** Each that stays, with why: `TIME place day=…`. */
function kept(backups: readonly Retained[], places: PlaceCounts, now: string, keepLast = 1): readonly string[] {
  return planRetention(backups, { keep: { places }, keepLast }, new Date(now)).keep.map(
    ({ backup: { file }, reason, places: filled }) =>
      [file.replace('.dump', ''), reason, ...filled.map(({ unit, period }) => `${unit}=${period}`)].join(' '),
  );
}

test('each day, week, month and year has its newest verified backup, and one can fill several', () => {
  const backups = [
    '2025-12-31T02:15:00Z',
    '2026-10-31T02:15:00Z',
    '2026-11-01T02:15:00Z',
    '2026-11-22T02:15:00Z',
    '2026-11-24T02:15:00Z',
    '2026-11-25T02:15:00Z',
    '2026-11-25T11:00:00Z',
  ].map((time) => backup(time));
  expect(kept(backups, { day: 2, week: 2, month: 2, year: 2 }, '2026-11-25T12:00:00Z')).toEqual([
    '2026-11-25T11:00:00Z place day=2026-11-25 week=2026-W48 month=2026-11 year=2026',
    '2026-11-24T02:15:00Z place day=2026-11-24',
    '2026-11-22T02:15:00Z place week=2026-W47',
    '2026-10-31T02:15:00Z place month=2026-10',
    '2025-12-31T02:15:00Z place year=2025',
  ]);
});

test('periods are those of UTC, the weeks those of ISO 8601, whatever clock people there set forward or back', () => {
  const places = { hour: 3, day: 9, week: 9 };
  // Europe turned its clocks back at 01:00 UTC on 25 October 2026: 02:30 came twice there, an hour apart.
  const autumn = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-25T23:59:59Z', '2026-10-26T00:00:00Z'];
  expect(
    kept(
      autumn.map((time) => backup(time)),
      places,
      '2026-10-27T00:00:00Z',
    ),
  ).toEqual([
    '2026-10-26T00:00:00Z place hour=2026-10-26T00 day=2026-10-26 week=2026-W44',
    '2026-10-25T23:59:59Z place hour=2026-10-25T23 day=2026-10-25 week=2026-W43',
    '2026-10-25T01:30:00Z place hour=2026-10-25T01',
  ]);
  const years = ['2024-12-29T12:00:00Z', '2024-12-30T12:00:00Z', '2027-01-03T12:00:00Z', '2028-02-29T12:00:00Z'];
  expect(
    kept(
      years.map((time) => backup(time)),
      { week: 9 },
      '2028-03-01T00:00:00Z',
    ),
  ).toEqual([
    '2028-02-29T12:00:00Z place week=2028-W09',
    '2027-01-03T12:00:00Z place week=2026-W53',
    '2024-12-30T12:00:00Z place week=2025-W01',
    '2024-12-29T12:00:00Z place week=2024-W52',
  ]);
});

test('periods without a backup take no place, so that nothing is lost by a long outage', () => {
  const backups = ['2024-01-01T00:00:00Z', '2024-06-01T00:00:00Z', '2026-11-25T00:00:00Z'].map((time) => backup(time));
  expect(kept(backups, { day: 3 }, '2026-11-25T12:00:00Z')).toHaveLength(3);
});

test('damaged and unverified ones fill no place, and stay only while they are as young as the days', () => {
  const backups = [
    backup('2026-11-25T03:00:00Z', { damage }),
    backup('2026-11-25T02:00:00Z'),
    backup('2026-11-20T02:00:00Z', { verifications: [] }),
  ];
  expect(kept(backups, { day: 2 }, '2026-11-25T12:00:00Z')).toEqual([
    '2026-11-25T03:00:00Z unverified',
    '2026-11-25T02:00:00Z place day=2026-11-25',
  ]);
});

/** Periods as running numbers, without the calendar of the code. The epoch was a Thursday. */
const COUNTED: Readonly<Record<PlaceUnit, (moment: Date) => number>> = {
  hour: (moment) => Math.floor(moment.getTime() / HOUR_MS),
  day: (moment) => Math.floor(moment.getTime() / DAY_MS),
  week: (moment) => Math.floor((Math.floor(moment.getTime() / DAY_MS) + 3) / 7),
  month: (moment) => moment.getUTCFullYear() * 12 + moment.getUTCMonth(),
  year: (moment) => moment.getUTCFullYear(),
};
const UNITS: readonly PlaceUnit[] = ['hour', 'day', 'week', 'month', 'year'];

test('by chance: the newest verified one and every one that fills a place stay, in whatever order they are read', () => {
  const random = chance();
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let round = 0; round < rounds(100, 1000); round += 1) {
    const now = new Date(Date.UTC(2026, below(12), 1 + below(28), below(24), below(60)));
    const places = Object.fromEntries(UNITS.filter(() => random() < 0.6).map((unit) => [unit, below(6)]));
    const rule = { keep: { places }, keepLast: 1 + below(3) };
    const backups = Array.from({ length: below(60) }, (_, number) => {
      const createdAt = new Date(now.getTime() - Math.floor((random() - 0.02) * 900 * DAY_MS));
      const format = random() < 0.8 ? 'custom' : 'sql';
      return {
        // Of the same second, too.
        ...backup(createdAt.toISOString().slice(0, 19) + 'Z', {
          format,
          isPinned: random() < 0.05,
          damage: random() < 0.1 ? damage : null,
          verifications: random() < 0.9 ? verifications : [],
        }),
        file: `${number}.dump`,
      };
    });
    const plan = planRetention(backups, rule, now);
    const shuffled = planRetention(
      backups
        .map((each) => [random(), each] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, each]) => each),
      rule,
      now,
    );
    expect(shuffled).toEqual(plan);
    expect(plan.remove.length + plan.keep.length).toBe(backups.length);
    const removed = new Set(plan.remove);
    expect([...removed].filter(({ manifest }) => manifest.isPinned)).toEqual([]);
    expect([...removed].filter(({ createdAt }) => createdAt > now)).toEqual([]);
    for (const format of ['custom', 'sql']) {
      const good = backups.filter(
        (each) => each.manifest.format === format && isVerified(each.manifest) && each.createdAt <= now,
      );
      const newestMs = Math.max(...good.map(({ createdAt }) => createdAt.getTime()));
      const newest = good.filter(({ createdAt }) => createdAt.getTime() === newestMs);
      expect(newest.length === 0 || newest.some((each) => !removed.has(each))).toBe(true);
      for (const [unit, count] of Object.entries(places)) {
        const ofUnit = plan.keep.filter(
          (each) => each.backup.manifest.format === format && each.places.some((place) => place.unit === unit),
        );
        const periods = new Set(ofUnit.map(({ backup: { createdAt } }) => COUNTED[unit as PlaceUnit](createdAt)));
        const there = new Set(good.map(({ createdAt }) => COUNTED[unit as PlaceUnit](createdAt)));
        expect(ofUnit.length).toBe(periods.size);
        expect([...periods]).toEqual([...there].toSorted((x, y) => y - x).slice(0, count));
      }
    }
    // What stays, stays when the rule is applied again.
    expect(
      planRetention(
        plan.keep.map((each) => each.backup),
        rule,
        now,
      ).remove,
    ).toEqual([]);
  }
});

test('by chance: pruned after each backup or once at the end, the same places are filled', () => {
  const random = chance();
  const places = { day: 7, week: 5, month: 12, year: 3 };
  const rule = { keep: { places }, keepLast: 1 };
  for (let round = 0; round < rounds(2, 12); round += 1) {
    let all: Retained[] = [];
    let left: readonly Retained[] = [];
    let now = new Date(Date.UTC(2024, 1, 1 + Math.floor(random() * 28)));
    for (let day = 0; day < 800; day += 1) {
      now = new Date(now.getTime() + Math.round((0.3 + 1.4 * random()) * DAY_MS));
      const made = backup(now.toISOString());
      all = [...all, made];
      left = planRetention([...left, made], rule, now).keep.map((each) => each.backup);
    }
    expect(left).toEqual(planRetention(all, rule, now).keep.map((each) => each.backup));
  }
});
