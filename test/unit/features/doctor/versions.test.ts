import { readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { compareVersions, faultsOf, fixedVersion } from '../../../../src/features/doctor/versions/faults-of.js';
import {
  AS_OF,
  PGVECTOR_FAULTS,
  POSTGRESQL_FAULTS,
  REDIS_FAULTS,
  VALKEY_FAULTS,
  type KnownFault,
} from '../../../../src/features/doctor/versions/known-faults.js';

const names = (version: string, faults: readonly KnownFault[]): readonly string[] =>
  faultsOf(version, faults).map(({ name }) => name);

test('a minor release has the faults that later ones of its series fix, and no other', () => {
  expect(names('17.12', POSTGRESQL_FAULTS)).toEqual([]);
  expect(names('19.0', POSTGRESQL_FAULTS)).toEqual([]);
  expect(names('17.11', POSTGRESQL_FAULTS)).toEqual(['CVE-2026-6460']);
  expect(names('16.14', POSTGRESQL_FAULTS)).toEqual(['CVE-2026-6460', 'CVE-2026-14680']);
  expect(names('18.0', POSTGRESQL_FAULTS)).not.toContain('CVE-2025-8715');
  expect(names('15.30', POSTGRESQL_FAULTS)).toHaveLength(POSTGRESQL_FAULTS.length);
  expect(fixedVersion('17.7', faultsOf('17.7', POSTGRESQL_FAULTS))).toBe('17.12');
  expect(fixedVersion('15.2', faultsOf('15.2', POSTGRESQL_FAULTS))).toBeUndefined();
});

test('faults of pgvector begin and end where its changes say', () => {
  expect(names('0.8.7', PGVECTOR_FAULTS)).toEqual([]);
  expect(names('0.8.0', PGVECTOR_FAULTS)).toHaveLength(5);
  expect(names('0.8.2', PGVECTOR_FAULTS)).not.toContain('CVE-2026-3172');
  expect(names('0.5.1', PGVECTOR_FAULTS)).not.toContain('CVE-2026-3172');
});

test('Redis and Valkey are told apart by series, 8.1 from 8.10 too', () => {
  expect(names('8.10.1', REDIS_FAULTS)).toEqual([]);
  expect(names('8.10.0', REDIS_FAULTS)).toEqual(['CVE-2026-81934']);
  expect(names('7.4.6', REDIS_FAULTS)).toEqual(['CVE-2026-81934']);
  expect(names('8.1.9', VALKEY_FAULTS)).toEqual([]);
  expect(names('8.1.6', VALKEY_FAULTS)).toEqual(['CVE-2026-56684']);
  expect(compareVersions('8.10', '8.9')).toBeGreaterThan(0);
});

test('each fault names a source, and a first version without it in each of its series', () => {
  for (const { source, fixedIn } of [...POSTGRESQL_FAULTS, ...PGVECTOR_FAULTS, ...REDIS_FAULTS, ...VALKEY_FAULTS]) {
    expect(source).toMatch(/^https:\/\//);
    for (const [series, fixed] of Object.entries(fixedIn)) expect(fixed.startsWith(`${series}.`)).toBe(true);
  }
});

test('the lists are no more than 90 days older than the newest release, or than today before it', () => {
  const changes = readFileSync(path.resolve(import.meta.dirname, '../../../../CHANGELOG.md'), 'utf8');
  const unreleased = changes.includes('\n## Unreleased');
  const [, day] = /^## \d[^\n]*\((\d{4}-\d\d-\d\d)\)/m.exec(changes) ?? [];
  const releaseMs = unreleased || day === undefined ? Date.now() : Date.parse(day);
  expect((releaseMs - Date.parse(AS_OF)) / 86_400_000).toBeLessThan(90);
});
