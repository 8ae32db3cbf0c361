import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');

/** What nobody should have to translate at three in the morning, and what is written instead. */
const FORBIDDEN: readonly (readonly [word: RegExp, instead: string])[] = [
  [/\bmend(s|ed|ing)?\b|\bremed(y|ies)\b/i, 'fix'],
  [/" (is|are) no (?!longer\b)/, 'invalid X "…": expected Y'],
  [/\bnot had\b/i, 'could not acquire a lock'],
  // The name of a file, not of a thing.
  [/(?<!migration-)\bfolders?\b/i, 'directory'],
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
  [/design document|\bthe research\b|design\/[a-z]+\.md/i, 'what it says, or a page of docs/'],
  [/\banew\b/i, 'again, or rewrite (a table)'],
  [/\bfore(tell|told)/i, 'forecast'],
  [/--[a-z-]+ belongs to --/, '--x requires --y'],
];

function filesIn(directory: string, ending: string): readonly string[] {
  return readdirSync(path.join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

/** Decisions of the past are not rewritten. */
const isPage = (file: string): boolean => !file.startsWith('docs/adr/');
/** Rows of demo data are no messages. */
const isSource = (file: string): boolean => !/\/demo\/texts\//.test(file);

const files = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...filesIn('docs', '.md').filter(isPage),
  ...filesIn('src', '.ts').filter(isSource),
  ...filesIn('sql', '.sql'),
  ...filesIn('examples', '.ts'),
];

/** Texts, comments and names alike: `src/cli/options.ts:12: …`. */
function placesOf(word: RegExp, file: string): readonly string[] {
  const lines = readFileSync(path.join(root, file), 'utf8').split('\n');
  return lines.flatMap((text, index) =>
    word.test(text) ? [`${file}:${index + 1}: ${text.trim().slice(0, 100)}`] : [],
  );
}

describe('texts, comments and names', () => {
  test.each(FORBIDDEN)('have no %s (write: %s)', (word) => {
    expect(files.flatMap((file) => placesOf(word, file))).toEqual([]);
  });
});
