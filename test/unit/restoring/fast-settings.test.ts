import { expect, test } from 'vitest';

import { fastSettings } from '../../../src/adapters/restoring/fast-settings.js';

const GIB = 1024 ** 3;

test('memory fits the largest vector index, and never more than a quarter of the machine', () => {
  const index = { rows: 100_000, dimensions: 1536 };
  const large = fastSettings([{ rows: 10, dimensions: 3 }, index], { memoryBytes: 64 * GIB, cpus: 4 });
  expect(large).toEqual({
    maintenance_work_mem: '855MB',
    min_parallel_table_scan_size: '256kB',
    max_parallel_maintenance_workers: '4',
    synchronous_commit: 'off',
  });
  expect(fastSettings([index], { memoryBytes: 2 * GIB, cpus: 1 })).toMatchObject({
    maintenance_work_mem: '512MB',
    max_parallel_maintenance_workers: '1',
  });
});

test('a server elsewhere is taken for a small one, and a tiny one still gets the default', () => {
  const index = { rows: 10_000_000, dimensions: 1536 };
  expect(fastSettings([index], { memoryBytes: undefined, cpus: 2 }).maintenance_work_mem).toBe('1024MB');
  expect(fastSettings([index], { memoryBytes: 0, cpus: 2 }).maintenance_work_mem).toBe('64MB');
  expect(fastSettings([], { memoryBytes: 8 * GIB, cpus: 2 }).maintenance_work_mem).toBe('256MB');
});
