import { join, relative } from 'node:path';

import { readDirectory, readSubdirectories, readText } from '../../adapters/files/read.js';
import { didYouMean } from '../../base/did-you-mean.js';
import { AisecError } from '../../base/errors.js';
import { parseSeedFile, type FileProblem, type SeedFile } from './seed-file.js';

/** The directory of the seed sets. */
export interface SeedSettings {
  readonly cwd: string;
  readonly seedsDir: string;
}

export interface SeedSet {
  readonly name: string;
  readonly files: readonly SeedFile[];
}

const SET_NAME = /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/;
const SET_RULE = 'A set is named with lower-case letters and digits, parted by single hyphens or underscores.';
const FILE_NAME = /^\d{2}-[a-z0-9]+(?:[-_][a-z0-9]+)*\.sql$/;
const FILE_RULE =
  'a seed file is named NN-name.sql: two digits, then lower-case letters and digits, parted by single hyphens';

/** A path as the user would write it. */
function shownPath(path: string, cwd: string): string {
  const inside = relative(cwd, path);
  return inside === '' || inside.startsWith('..') ? path : inside;
}

/** Editors' leftovers and documents may lie in the directory; anything else that ends in .sql must be a seed file. */
function seedFileNames(directory: string): readonly string[] {
  return readDirectory(directory)
    .filter((name) => !name.startsWith('.') && /\.sql$/i.test(name))
    .toSorted();
}

/** The sets of a directory, and the subdirectories whose name no set can have. @throws AisecError CONFIG_INVALID. */
function seedSetNames(directory: string): {
  readonly sets: readonly string[];
  readonly strange: readonly string[];
} {
  const names = readSubdirectories(directory)
    .filter((name) => !name.startsWith('.'))
    .toSorted();
  return { sets: names.filter((name) => SET_NAME.test(name)), strange: names.filter((name) => !SET_NAME.test(name)) };
}

export interface ListedSet {
  readonly name: string;
  readonly files: readonly string[];
  readonly where: 'bundled' | 'directory';
  readonly directory: string;
}

export interface SeedListing {
  readonly sets: readonly ListedSet[];
  /** Subdirectories whose name no set can have. */
  readonly strange: readonly string[];
}

/** The seed sets there are; the files are named, not read. @throws AisecError CONFIG_INVALID for an unreadable directory. */
export function listSeedSets(settings: SeedSettings, isBundled: boolean): SeedListing {
  const { sets, strange } = seedSetNames(settings.seedsDir);
  const shown = shownPath(settings.seedsDir, settings.cwd);
  return {
    sets: sets.map((name) => ({
      name,
      files: seedFileNames(join(settings.seedsDir, name)),
      where: isBundled ? 'bundled' : 'directory',
      directory: join(shown, name),
    })),
    strange: strange.map((name) => join(shown, name)),
  };
}

function nameProblem(path: string, name: string, seen: Map<string, string>): FileProblem | undefined {
  if (!FILE_NAME.test(name)) return { file: path, line: 1, message: FILE_RULE };
  const number = name.slice(0, 2);
  const twin = seen.get(number);
  seen.set(number, name);
  return twin === undefined
    ? undefined
    : { file: path, line: 1, message: `the number ${number} is already taken by ${twin}` };
}

function invalidFiles(problems: readonly FileProblem[]): AisecError {
  const [first] = problems;
  const others = problems.slice(1).map((problem) => `${problem.file}:${problem.line}: ${problem.message}`);
  return new AisecError('SEED_INVALID', `invalid seed file: ${first?.message ?? ''}`, {
    position: first,
    detail: others.length === 0 ? undefined : `Also:\n  ${others.join('\n  ')}`,
    hint: 'No changes were made. Fix the file and run it again.',
  });
}

/** Looked up among the directories that are there, never joined to a path first: `../x` names no set. */
function refuseUnknownSet(name: string, settings: SeedSettings): void {
  if (!SET_NAME.test(name)) throw new AisecError('SEED_INVALID', `invalid seed set name "${name}"`, { hint: SET_RULE });
  const { sets } = seedSetNames(settings.seedsDir);
  if (sets.includes(name)) return;
  const near = didYouMean(name, sets);
  const there = sets.length === 0 ? 'It has none.' : `It has: ${sets.join(', ')}.`;
  throw new AisecError(
    'SEED_INVALID',
    `there is no seed set "${name}" in ${shownPath(settings.seedsDir, settings.cwd)}`,
    { detail: there, hint: near === undefined ? 'See: aisec seed list' : `Did you mean "${near}"?` },
  );
}

/**
 * One set with its files in their order, every file checked.
 *
 * @throws AisecError SEED_INVALID with file and line of every problem, or for a set that is not there;
 *   CONFIG_INVALID for what cannot be read or is not UTF-8.
 */
export async function readSeedSet(name: string, settings: SeedSettings): Promise<SeedSet> {
  refuseUnknownSet(name, settings);
  const directory = join(settings.seedsDir, name);
  const shown = shownPath(directory, settings.cwd);
  const problems: FileProblem[] = [];
  const files: SeedFile[] = [];
  const seen = new Map<string, string>();
  for (const fileName of seedFileNames(directory)) {
    const path = join(shown, fileName);
    const badName = nameProblem(path, fileName, seen);
    if (badName !== undefined) {
      problems.push(badName);
      continue;
    }
    const parsed = await parseSeedFile(path, fileName, readText(join(directory, fileName)));
    problems.push(...parsed.problems);
    if (parsed.file !== undefined) files.push(parsed.file);
  }
  if (problems.length > 0) throw invalidFiles(problems);
  if (files.length === 0) {
    throw new AisecError('SEED_INVALID', `the seed set "${name}" has no files`, {
      detail: `There is no .sql file in ${shown}.`,
      hint: 'A seed file is named NN-name.sql.',
    });
  }
  return { name, files };
}

/** Whether a file of the set reads the admin password. */
export function takesPassword({ files }: SeedSet): boolean {
  return files.some(({ statements }) => statements.some((statement) => statement.takesPassword));
}
