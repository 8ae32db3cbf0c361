import { describe, expect, test } from 'vitest';

import type { ArchiveFacts, PartitionFacts, Surroundings } from '../../../../../src/features/messages/archive/facts.js';
import { monthEndMs, monthStartMs, type Month } from '../../../../../src/base/month.js';
import { planArchive, type WaitingRows } from '../../../../../src/features/messages/archive/plan.js';

const surroundings: Surroundings = {
  now: new Date('2026-11-22T00:00:00Z'),
  roleName: 'owner',
  ownerName: 'owner',
  defaultPartition: 'messages_default',
  referenceTables: ['conversations', 'message_keys'],
  notOwned: [],
  rowSecurityOn: [],
  foreignKeys: [],
  columnDifferences: [],
  schemaName: 'public',
  publications: [],
  deadlockTimeoutMs: 1000,
  takenNames: [],
};

function partition(month: Month, more: Partial<PartitionFacts> = {}): PartitionFacts {
  const root = more.root ?? 'messages';
  const name = `${root}_y${month.replace('-', 'm')}`;
  return {
    root,
    relation: name,
    name,
    isDefault: false,
    month,
    lowerBound: `${month}-01 00:00:00+00`,
    upperBound: new Date(monthEndMs(month)).toISOString(),
    lowerMs: monthStartMs(month),
    upperMs: monthEndMs(month),
    isDetachPending: false,
    sizeBytes: 1024,
    rowEstimate: 10,
    isOwned: true,
    boundCheck: { name: 'message_month_bounds', isValid: true },
    constraintNames: [],
    indexFaults: [],
    missingChecks: [],
    hasForeignKeys: true,
    ...more,
  };
}

interface Wishes {
  readonly isExact?: boolean;
  readonly waiting?: readonly WaitingRows[];
  readonly more?: Partial<Surroundings>;
}

function plan(
  partitions: readonly PartitionFacts[],
  cutoff: string,
  { isExact = false, waiting = [], more = {} }: Wishes = {},
): readonly string[] {
  const facts: ArchiveFacts = { surroundings: { ...surroundings, ...more }, partitions };
  return planArchive(facts, waiting, Date.parse(cutoff), isExact).months.map(
    ({ month, action, findings }) => `${month} ${action}${findings.length > 0 ? ` (${findings.length} findings)` : ''}`,
  );
}

describe('the plan of an archive run', () => {
  const months = (['2026-03', '2026-04', '2026-05'] as const).map((month) => partition(month));

  test('has the months that end at or before the cutoff, and no other', () => {
    expect(plan(months, '2026-04-30T23:59:59.999Z')).toEqual(['2026-03 swap']);
    expect(plan(months, '2026-05-01T00:00:00Z')).toEqual(['2026-03 swap', '2026-04 swap']);
    expect(plan(months, '2026-05-01T00:00:00.001Z')).toEqual(['2026-03 swap', '2026-04 swap']);
  });

  test('with --exact has the older rows of the boundary month, unless the cutoff is its first instant', () => {
    expect(plan(months, '2026-05-01T00:00:00Z', { isExact: true })).toEqual(['2026-03 swap', '2026-04 swap']);
    expect(plan(months, '2026-05-01T00:00:00.001Z', { isExact: true })).toEqual([
      '2026-03 swap',
      '2026-04 swap',
      '2026-05 move older rows',
    ]);
  });

  test('finishes a month that the archive has a part of', () => {
    const half = [partition('2026-03'), partition('2026-03', { root: 'messages_archive' })];
    expect(plan(half, '2026-05-01T00:00:00Z')).toEqual(['2026-03 finish']);
  });

  test('takes what waits in the default partition along: late rows, and months that were never made', () => {
    const archived = [partition('2026-03', { root: 'messages_archive' })];
    const waiting = [
      { month: '2026-02', rows: 3 },
      { month: '2026-03', rows: 2 },
      { month: '2026-05', rows: 1 },
    ] as const;
    expect(plan(archived, '2026-05-10T00:00:00Z', { waiting })).toEqual([
      '2026-02 move late rows',
      '2026-03 move late rows',
    ]);
    expect(plan(archived, '2026-05-10T00:00:00Z', { waiting, isExact: true })).toHaveLength(3);
  });

  test('reports a partition that is not a month, and all findings of a month at once', () => {
    const odd = partition('2026-03', { month: null, upperMs: monthEndMs('2026-04') });
    expect(plan([odd], '2026-06-01T00:00:00Z')).toEqual(['2026-03-01 00:00:00+00 swap (1 findings)']);
    const faulty = partition('2026-03', {
      isDetachPending: true,
      isOwned: false,
      indexFaults: [{ definition: ' USING btree (role)', isUnique: false, brokenIndex: null }],
      missingChecks: [{ name: 'c', definition: 'CHECK (true)' }],
    });
    const more = {
      takenNames: ['messages_archive_y2026m03'],
      foreignKeys: [{ table: 'likes', name: 'likes_fkey', definition: 'FOREIGN KEY ...' }],
      rowSecurityOn: ['messages'],
      notOwned: ['conversations'],
    };
    expect(plan([faulty], '2026-06-01T00:00:00Z', { more })).toEqual(['2026-03 swap (8 findings)']);
  });

  test('is empty when nothing is old enough', () => {
    expect(plan(months, '2026-03-31T00:00:00Z')).toEqual([]);
    expect(plan([], '2026-03-31T00:00:00Z', { isExact: true })).toEqual([]);
  });
});
