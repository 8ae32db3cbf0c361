import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';

import { AisecError, messageOf } from '../../base/errors.js';
import { readMigrationFolder } from './files/migration-folder.js';

export interface NewMigration {
  readonly name: string;
  readonly path: string;
  readonly isDryRun: boolean;
}

const TEMPLATE = (title: string): string => `-- ${title}

-- Up Migration


-- Down Migration

`;

function nextNumber(names: readonly string[]): string {
  const last =
    names
      .map((name) => Number(name.slice(0, 4)))
      .toSorted((a, b) => a - b)
      .at(-1) ?? 0;
  return String(last + 1).padStart(4, '0');
}

/** `Add Inbox view` becomes `add_inbox_view`. @throws AisecError USAGE when nothing is left of it. */
export function migrationSlug(title: string): string {
  const slug = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  if (slug !== '') return slug;
  throw new AisecError('USAGE', `"${title}" has no letters or digits to name a migration with`, {
    hint: 'For example: aisec migrate new add_inbox_view',
  });
}

/**
 * Writes an empty migration with the next number. Two at once cannot get the same file: it is created exclusively.
 *
 * @throws AisecError USAGE, REFUSED for the installed package's own directory, CONFIG_INVALID when the directory cannot be written.
 */
export async function newMigration(
  title: string,
  {
    migrationsDir,
    cwd,
    isDryRun,
  }: { readonly migrationsDir: string; readonly cwd: string; readonly isDryRun: boolean },
): Promise<NewMigration> {
  const slug = migrationSlug(title);
  if (migrationsDir.split(sep).includes('node_modules')) {
    throw new AisecError('REFUSED', 'the bundled migrations belong to the installed package', {
      hint: 'Give a directory of your own: --migrations-dir ./migrations',
    });
  }
  const isThere = existsSync(migrationsDir);
  try {
    if (!isDryRun) mkdirSync(migrationsDir, { recursive: true });
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `could not create the directory "${migrationsDir}"`, {
      detail: `${messageOf(error)}.`,
      cause: error,
    });
  }
  const files = isDryRun && !isThere ? [] : await readMigrationFolder(migrationsDir, cwd, true);
  const name = `${nextNumber(files.map((file) => file.name))}_${slug}`;
  const path = join(migrationsDir, `${name}.sql`);
  if (isDryRun) return { name, path, isDryRun };
  try {
    writeFileSync(path, TEMPLATE(title), { flag: 'wx' });
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `could not write "${path}"`, {
      detail: `${messageOf(error)}.`,
      cause: error,
    });
  }
  return { name, path, isDryRun };
}
