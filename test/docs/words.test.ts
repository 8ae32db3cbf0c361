import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

import { linesOf, sentencesOf, type UserText } from '../support/user-texts.js';

const root = path.join(import.meta.dirname, '..', '..');

/** What nobody should have to translate at three in the morning, and what is written instead. */
const FORBIDDEN: readonly (readonly [word: RegExp, instead: string])[] = [
  [/\bmend(s|ed|ing)?\b|\bremed(y|ies)\b/i, 'fix'],
  [/" (is|are) no (?!longer\b)/, 'invalid X "…": expected Y'],
  [/\bnot had\b/i, 'could not acquire a lock'],
  [/\bfolders?\b/i, 'directory'],
  [/\bgo(es|ing)? on\b/i, 'continue'],
  [/\b(will|would|to) go\b(?! (up|down|to|through|back)\b)/i, 'delete, archive, detach, drop'],
  [/nothing (of it )?was (touched|kept)/i, 'no changes were made'],
  [/\bno whole\b/i, 'incomplete, damaged, unverified'],
  [/(?<!enable )row level security/i, 'row-level security'],
  [/\bpass(es)? by\b/i, 'bypass'],
  [/\b(some|no|every)body\b|\bwhoever\b/i, 'the role, the user, the owner'],
  [/\b(told|tells?)\b/i, 'report, print, show, list'],
  [/exclude each other/i, 'cannot be used together'],
  [/\bprov(e|es|ed|ing)\b/i, 'verify (a backup), validate (input), check (a state)'],
  [/\b(im)?patient\b|\bpolite(ly)?\b/i, 'retry, wait, timeout, attempts'],
];

function filesIn(directory: string, ending: string): readonly string[] {
  return readdirSync(path.join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

/** Decisions of the past are not rewritten; the pages of behaviours name tests. */
const isPage = (file: string): boolean => !/^docs\/adr\/|-behaviours\.md$/.test(file);
const pages = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'].filter((file) => existsSync(path.join(root, file))),
  ...filesIn('docs', '.md').filter(isPage),
];
/** Rows of demo data are no messages. */
const modules = filesIn('src', '.ts').filter((file) => !/\/demo\/|^src\/schema\/|^src\/zod\//.test(file));

const texts: ReadonlyMap<string, readonly UserText[]> = new Map([
  ...modules.map((file) => [file, sentencesOf(root, file)] as const),
  ...pages.map((file) => [file, linesOf(root, file)] as const),
]);

type Counts = Readonly<Record<string, number>>;

const knownFile = path.join(import.meta.dirname, 'known-words.json');
/** How often each old word still stands in a file. The list only ever gets shorter; AISEC_KNOWN_WORDS=write rewrites it. */
const known = JSON.parse(readFileSync(knownFile, 'utf8')) as Readonly<Record<string, Counts>>;

function placesOf(word: RegExp, file: string): readonly string[] {
  const found = (texts.get(file) ?? []).filter(({ text }) => word.test(text));
  return found.map(({ place, text }) => `${place}: ${text.trim().slice(0, 100)}`);
}

function countsOf(word: RegExp): Counts {
  const counts = [...texts.keys()].toSorted().map((file) => [file, placesOf(word, file).length] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

const total = (counts: Counts = {}): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

afterAll(() => {
  if (process.env['AISEC_KNOWN_WORDS'] !== 'write') return;
  const counts = FORBIDDEN.map(([word]) => [word.source, countsOf(word)] as const);
  for (const [word, found] of counts) expect(total(found), word).toBeLessThanOrEqual(total(known[word]));
  writeFileSync(knownFile, `${JSON.stringify(Object.fromEntries(counts), null, 2)}\n`);
});

describe('user-facing texts', () => {
  test.each(FORBIDDEN)('have no new %s (write: %s)', (word) => {
    for (const file of texts.keys()) {
      const found = placesOf(word, file);
      const allowed = known[word.source]?.[file] ?? 0;
      expect(found.length > allowed ? found : [], `at most ${allowed} in ${file}`).toEqual([]);
    }
  });
});
