import { join, relative } from 'node:path';

import { readDirectory, readText } from '../../../adapters/files/read.js';
import { AisecError } from '../../../base/errors.js';
import { BUNDLED_SOURCE } from './source.js';
import { parseMigrationFile, type FileProblem, type MigrationFile } from './migration-file.js';
import { verificationProblems, withVerifications } from './verifications.js';
import { transactionProblems } from './transaction-control.js';

const FILE_NAME = /^(?:\d{4}_|R__)[a-z0-9]+(?:_[a-z0-9]+)*\.sql$/;
const NAME_RULE =
  'a migration is named NNNN_name.sql (repeatable: R__name.sql): four digits, then lower-case letters, digits and single underscores';

/** What runs before the first pending migration, and after the last. */
const HOOKS = ['before_up', 'after_up'] as const;
export type HookName = (typeof HOOKS)[number];

/** Editors' leftovers and documents may lie in the directory; anything else that ends in .sql must be a migration. */
function isIgnored(fileName: string): boolean {
  return fileName.startsWith('.') || !/\.sql$/i.test(fileName);
}

function isHook(fileName: string): boolean {
  return HOOKS.some((name) => fileName === `${name}.sql`);
}

function nameProblems(path: string, fileName: string, seen: Map<string, string>): readonly FileProblem[] {
  if (!FILE_NAME.test(fileName)) return [{ file: path, line: 1, message: NAME_RULE }];
  if (fileName.startsWith('R__')) return [];
  const number = fileName.slice(0, 4);
  const twin = seen.get(number);
  seen.set(number, fileName);
  return twin === undefined
    ? []
    : [{ file: path, line: 1, message: `the number ${number} is already taken by ${twin}` }];
}

function invalidFiles(problems: readonly FileProblem[]): AisecError {
  const [first] = problems;
  const others = problems.slice(1).map((problem) => `${problem.file}:${problem.line}: ${problem.message}`);
  return new AisecError('MIGRATION_FILE_INVALID', `invalid migration file: ${first?.message ?? ''}`, {
    position: first,
    detail: others.length === 0 ? undefined : `Also:\n  ${others.join('\n  ')}`,
    hint: 'Nothing was run. Fix the file; `aisec migrate new NAME` shows the format.',
  });
}

function shownDirectory(directory: string, cwd: string): string {
  const inside = relative(cwd, directory);
  return inside.startsWith('..') ? directory : inside;
}

interface Place {
  readonly directory: string;
  /** The same, for messages. */
  readonly shown: string;
  readonly source: string;
}

/** The file, if it could be read; what is wrong with it is added to the problems. */
async function readChecked(
  fileName: string,
  { directory, shown, source }: Place,
  problems: FileProblem[],
): Promise<readonly MigrationFile[]> {
  const name = fileName.replace(/\.sql$/, '');
  const parsed = parseMigrationFile(join(shown, fileName), name, readText(join(directory, fileName)), source);
  problems.push(...parsed.problems);
  if (parsed.file === undefined) return [];
  problems.push(...(await transactionProblems(parsed.file)));
  return [parsed.file];
}

/**
 * The hooks of one source: `before_up.sql`, `after_up.sql`.
 *
 * @throws AisecError MIGRATION_FILE_INVALID.
 */
export async function readHooks(directory: string, cwd: string, source: string): Promise<readonly MigrationFile[]> {
  const hooks: MigrationFile[] = [];
  const problems: FileProblem[] = [];
  const place = { directory, shown: shownDirectory(directory, cwd), source };
  for (const fileName of readDirectory(directory).filter(isHook))
    hooks.push(...(await readChecked(fileName, place, problems)));
  if (problems.length > 0) throw invalidFiles(problems);
  return hooks;
}

export interface DirectoryOptions {
  /** Default: that of the bundled migrations. */
  readonly source?: string;
  readonly isEmptyAllowed?: boolean;
}

/**
 * All migrations of one source in their order, every file checked. An empty one is refused: a wrong mount must not be green.
 *
 * @throws AisecError MIGRATION_FILE_INVALID with file and line of every problem; CONFIG_INVALID for an unreadable directory.
 */
export async function readMigrationFolder(
  directory: string,
  cwd: string,
  { source = BUNDLED_SOURCE, isEmptyAllowed = false }: DirectoryOptions = {},
): Promise<readonly MigrationFile[]> {
  const shown = shownDirectory(directory, cwd);
  const problems: FileProblem[] = [];
  const files: MigrationFile[] = [];
  const seen = new Map<string, string>();
  const fileNames = readDirectory(directory)
    .filter((fileName) => !isIgnored(fileName) && !isHook(fileName))
    .toSorted();
  for (const fileName of fileNames) {
    const badName = nameProblems(join(shown, fileName), fileName, seen);
    problems.push(...badName);
    if (badName.length === 0) files.push(...(await readChecked(fileName, { directory, shown, source }, problems)));
  }
  const verified = withVerifications(files, { directory, shown }, problems);
  if (problems.length > 0) throw invalidFiles(problems);
  if (files.length === 0 && !isEmptyAllowed) {
    throw new AisecError('CONFIG_INVALID', `no migrations in "${shown}"`, {
      detail: 'An empty directory would make every database look current.',
      hint: 'Is the volume mounted, and the path right? A first file is written by: aisec migrate new NAME',
    });
  }
  return verified;
}

/**
 * Looks at every statement of files that are about to run with PostgreSQL's parser; reading the directory looks at the
 * suspicious ones only, since loading the parser takes longer than `migrate status`.
 *
 * @throws AisecError MIGRATION_FILE_INVALID.
 */
export async function refuseUnsafeStatements(files: readonly MigrationFile[]): Promise<void> {
  const problems: FileProblem[] = [];
  for (const file of files) {
    problems.push(...(await transactionProblems(file, 'every statement')));
    problems.push(...(await verificationProblems(file)));
  }
  if (problems.length > 0) throw invalidFiles(problems);
}
