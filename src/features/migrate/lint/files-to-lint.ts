import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

import { didYouMean } from '../../../base/did-you-mean.js';
import { AisecError } from '../../../base/errors.js';
import type { MigrationFile } from '../files/migration-file.js';
import { readMigrationFolder } from '../files/migration-folder.js';
import { isBundled, labelOf } from '../files/source.js';
import type { FileToRead } from './lint.js';

export interface FilesToLint {
  /** Run before all others, at once: they are not looked at. */
  readonly earlier: readonly MigrationFile[];
  /** From the first file that is looked at on, in order. */
  readonly files: readonly FileToRead[];
}

export interface WantedFiles {
  /** Of all sources, in the order in which they run. */
  readonly all: readonly MigrationFile[];
  readonly cwd: string;
  /** Names or paths of files; none: those that `pending` says, else those of the team, else the bundled ones. */
  readonly operands: readonly string[];
  /** The pending ones of the connected database, by label. */
  readonly pending: ReadonlySet<string> | undefined;
  /** Those that another branch does not have: instead of the pending ones. */
  readonly ours?: readonly MigrationFile[] | undefined;
}

function split(files: readonly MigrationFile[], isWanted: (file: MigrationFile) => boolean): FilesToLint {
  const first = files.findIndex(isWanted);
  if (first < 0) return { earlier: files, files: [] };
  return {
    earlier: files.slice(0, first),
    files: files.slice(first).map((file) => ({ file, isLinted: isWanted(file) })),
  };
}

function unknownFile(operand: string, names: readonly string[]): AisecError {
  const near = didYouMean(operand, names);
  return new AisecError('USAGE', `there is no migration "${operand}"`, {
    hint: near === undefined ? 'Give names or paths of migration files.' : `Did you mean "${near}"?`,
  });
}

/** The migration that a name, a label (`app/0001_add_invoices`) or a path means. */
function named(operand: string, all: readonly MigrationFile[], cwd: string): MigrationFile | undefined {
  const path = resolve(cwd, operand);
  return (
    all.find((file) => resolve(cwd, file.path) === path) ??
    all.find((file) => labelOf(file) === operand || file.name === operand || `${file.name}.sql` === operand)
  );
}

/**
 * Finds out which files are looked at, and which ones run before them. A path outside of the directories of migrations is
 * a file of a source that is not configured: its directory comes after all others.
 *
 * @throws AisecError MIGRATION_FILE_INVALID, CONFIG_INVALID, USAGE for a file that is not there.
 */
export async function filesToLint({ all, cwd, operands, pending, ours }: WantedFiles): Promise<FilesToLint> {
  if (operands.length === 0 && ours !== undefined) return split(all, (file) => ours.includes(file));
  if (operands.length === 0) {
    const isOwn = all.some((file) => !isBundled(file));
    return split(all, (file) => (pending === undefined ? !isOwn || !isBundled(file) : pending.has(labelOf(file))));
  }
  const wanted = new Set<MigrationFile>();
  const others = new Map<string, Set<string>>();
  for (const operand of operands) {
    const found = named(operand, all, cwd);
    const path = resolve(cwd, operand);
    if (found !== undefined) wanted.add(found);
    else if (!path.endsWith('.sql') || !existsSync(path)) throw unknownFile(operand, all.map(labelOf));
    else others.set(dirname(path), (others.get(dirname(path)) ?? new Set()).add(basename(path, '.sql')));
  }
  const known = split(all, (file) => wanted.has(file));
  const further: FileToRead[] = [];
  for (const [directory, names] of others) {
    const files = await readMigrationFolder(directory, cwd, { source: directory });
    further.push(...files.map((file) => ({ file, isLinted: names.has(file.name) })));
  }
  return { earlier: known.earlier, files: [...known.files, ...further] };
}
