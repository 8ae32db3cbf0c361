import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

import { migrationChecksums } from '../fixtures/migration-checksums.js';

const root = path.join(import.meta.dirname, '..', '..');
const read = (...segments: readonly string[]): string => readFileSync(path.join(root, ...segments), 'utf8');
const files = readdirSync(path.join(root, 'migrations')).toSorted();
const texts = files.map((file) => ({ file, text: read('migrations', file) }));

/** What applications and operators call; everything else is internal. */
const publicFunctions = [
  'archive_old_messages',
  'conversation_messages',
  'current_user_id',
  'ensure_message_partitions',
  'find_knowledge',
  'find_message',
  'hash_password',
  'set_updated_at',
  'verify_password',
];

function filesBelow(directory: string, extensions: readonly string[]): readonly string[] {
  return readdirSync(path.join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => extensions.includes(path.extname(file)))
    .map((file) => path.join(directory, file));
}

test('every bundled migration is as it was when it was first released; a new one adds its line', () => {
  const found = texts.map(({ file, text }) => [file, createHash('sha256').update(text).digest('hex')]);
  expect(Object.fromEntries(found)).toEqual(migrationChecksums);
});

test('the bundled migrations are numbered without a gap', () => {
  expect(files.map((file) => file.slice(0, 4))).toEqual(
    files.map((_file, index) => String(index + 1).padStart(4, '0')),
  );
});

test('no bundled migration is longer than 400 lines', () => {
  const long = texts.filter(({ text }) => text.trimEnd().split('\n').length > 400);
  expect(long.map(({ file }) => file)).toEqual([]);
});

test('every function is created once, and internal ones have the prefix aisec_', () => {
  const names = texts.flatMap(({ text }) =>
    [...text.matchAll(/^create (?:or replace )?(?:function|procedure) (\w+)/gim)].map(([, name]) => name ?? ''),
  );
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(names.filter((name) => !name.startsWith('aisec_')).toSorted()).toEqual(publicFunctions);
});

test('neither code nor documentation names a bundled migration: it asks the catalog what there is', () => {
  const names = new RegExp(`\\b(${files.map((file) => path.basename(file, '.sql')).join('|')})\\b`);
  const number = /\bmigrations? \d{4}\b/i;
  const places = [
    ...filesBelow('src', ['.ts']),
    ...filesBelow('sql', ['.sql']),
    ...filesBelow('migrations', ['.sql']),
    // What a terminal printed, which a test compares with what it prints now.
    ...filesBelow('docs', ['.md']).filter((file) => !file.endsWith('week-of-a-dba.md')),
  ];
  expect(places.filter((file) => names.test(read(file)) || number.test(read(file)))).toEqual([]);
});
