import { expect, test } from 'vitest';

import { restoreSettings, vectorSettings } from '../../../../../src/features/backup/restore/fast-settings.js';

const GIB = 1024 ** 3;

test('memory fits the largest vector index, and never more than a quarter of the machine', () => {
  const index = { rows: 100_000, dimensions: 1536 };
  const large = vectorSettings([{ rows: 10, dimensions: 3 }, index], { memoryBytes: 64 * GIB, cpus: 4 });
  expect(large).toEqual({
    maintenance_work_mem: '855MB',
    min_parallel_table_scan_size: '0',
    max_parallel_maintenance_workers: '3',
    synchronous_commit: 'off',
  });
  expect(vectorSettings([index], { memoryBytes: 2 * GIB, cpus: 1 })).toMatchObject({
    maintenance_work_mem: '512MB',
    max_parallel_maintenance_workers: '0',
  });
});

test('a server elsewhere is taken for a small one that knows its own cores, and a tiny one still gets the default', () => {
  const index = { rows: 10_000_000, dimensions: 1536 };
  const elsewhere = vectorSettings([index], { memoryBytes: undefined, cpus: undefined });
  expect(elsewhere).toMatchObject({ maintenance_work_mem: '1024MB' });
  expect(elsewhere).not.toHaveProperty('max_parallel_maintenance_workers');
  expect(vectorSettings([index], { memoryBytes: 0, cpus: 2 })['maintenance_work_mem']).toBe('64MB');
  expect(vectorSettings([], { memoryBytes: 8 * GIB, cpus: 2 })['maintenance_work_mem']).toBe('256MB');
});

test('all jobs together take no more than a quarter of the machine, and each at least the default', () => {
  expect(restoreSettings({ memoryBytes: 64 * GIB, cpus: 4 }, 4)).toEqual({
    maintenance_work_mem: '256MB',
    synchronous_commit: 'off',
  });
  expect(restoreSettings({ memoryBytes: 2 * GIB, cpus: 4 }, 4)).toMatchObject({ maintenance_work_mem: '128MB' });
  expect(restoreSettings({ memoryBytes: 0, cpus: 2 }, 2)).toMatchObject({ maintenance_work_mem: '64MB' });
});
