import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

import { didYouMean } from '../../../base/did-you-mean.js';
import { AisecError } from '../../../base/errors.js';
import type { MigrationFile } from '../files/migration-file.js';
import { readMigrationFolder } from '../files/migration-folder.js';
import type { FileToRead } from './lint.js';

export interface FilesToLint {
  /** Run before all others, at once: they are not looked at. */
  readonly earlier: readonly MigrationFile[];
  /** From the first file that is looked at on, in order. */
  readonly files: readonly FileToRead[];
}

export interface WantedFiles {
  readonly migrationsDir: string;
  readonly cwd: string;
  /** Names or paths of files; none: those that `pending` says, else all. */
  readonly operands: readonly string[];
  /** The pending ones of the connected database. */
  readonly pending: ReadonlySet<string> | undefined;
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

/**
 * Finds out which files are looked at, and which ones run before them. A path outside of the directory of migrations is a
 * file of a team's own: its directory comes after the bundled ones.
 *
 * @throws AisecError MIGRATION_FILE_INVALID, CONFIG_INVALID, USAGE for a file that is not there.
 */
export async function filesToLint({ migrationsDir, cwd, operands, pending }: WantedFiles): Promise<FilesToLint> {
  const own = await readMigrationFolder(migrationsDir, cwd);
  if (operands.length === 0) return split(own, ({ name }) => pending === undefined || pending.has(name));
  const names = new Set<string>();
  const directories = new Set<string>();
  for (const operand of operands) {
    const path = resolve(cwd, operand);
    const name = basename(operand).replace(/\.sql$/, '');
    const isPath = existsSync(path) && path.endsWith('.sql');
    if (isPath && dirname(path) !== resolve(migrationsDir)) directories.add(dirname(path));
    else if (!own.some((file) => file.name === name))
      throw unknownFile(
        operand,
        own.map((file) => file.name),
      );
    names.add(name);
  }
  const [other, ...more] = directories;
  if (other === undefined) return split(own, ({ name }) => names.has(name));
  if (more.length > 0)
    throw new AisecError('USAGE', 'the files stand in several directories', {
      hint: 'Give those of one directory at a time.',
    });
  const theirs = split(await readMigrationFolder(other, cwd), ({ name }) => names.has(name));
  const before = theirs.earlier.map((file) => ({ file, isLinted: false }));
  return { earlier: own, files: [...before, ...theirs.files] };
}
