import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';

import { AisecError, messageOf } from '../../base/errors.js';
import type { MigrationPlace } from '../../config/migration-places.js';
import { readMigrationFolder } from './files/migration-folder.js';
import { isBundled, type SourcedName } from './files/source.js';
import { shellWord } from '../../base/package/aisec-command.js';

export interface NewMigration extends SourcedName {
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
function migrationSlug(title: string): string {
  const slug = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  if (slug !== '') return slug;
  throw new AisecError('USAGE', `"${title}" has no letters or digits to name a migration with`, {
    hint: 'For example: aisec migrate new add_inbox_view',
  });
}

const OWN_DIRECTORY =
  'Name a directory of your own: aisec migrate new NAME --migrations-dir ./db/migrations (and for every other command in package.json: "aisec": { "migrationsDir": "./db/migrations" })';

/**
 * Where a new migration goes, and its title: `add_invoices`, or `billing/add_invoices` where there are several sources.
 *
 * @throws AisecError USAGE for an unknown source or where none is named; REFUSED for the installed package.
 */
function placeOfNew(
  argument: string,
  places: readonly MigrationPlace[],
): { readonly place: MigrationPlace; readonly title: string } {
  const [bundled, ...own] = places;
  const [, source, rest] = /^([a-z][a-z0-9_]*)\/(.+)$/s.exec(argument) ?? [];
  const names = places.map(({ name }) => name).join(', ');
  if (source !== undefined && rest !== undefined) {
    const named = places.find(({ name }) => name === source);
    if (named === undefined)
      throw new AisecError('USAGE', `there is no directory of migrations called "${source}"`, {
        hint: `There are ${names}. Another one: --migrations-dir ${source}=DIR`,
      });
    return { place: notInstalled(named), title: rest };
  }
  const [only, second] = own;
  if (second !== undefined)
    throw new AisecError('USAGE', 'there are several directories of migrations', {
      hint: `Say which, of ${own.map(({ name }) => name).join(', ')}: aisec migrate new ${shellWord(`${only?.name ?? ''}/${argument}`)}`,
    });
  const place = only ?? bundled;
  if (place === undefined) throw new Error('no place for migrations is known');
  return { place: notInstalled(place), title: argument };
}

/** A file in the installed package would be gone with the next installation. */
function notInstalled(place: MigrationPlace): MigrationPlace {
  if (isBundled({ source: place.name }) && place.directory.split(sep).includes('node_modules'))
    throw new AisecError('REFUSED', 'the bundled migrations belong to the installed package', { hint: OWN_DIRECTORY });
  return place;
}

/**
 * Writes an empty migration with the next number. Two at once cannot get the same file: it is created exclusively.
 *
 * @throws AisecError USAGE, REFUSED for the installed package's own directory, CONFIG_INVALID when the directory cannot be written.
 */
export async function newMigration(
  argument: string,
  {
    places,
    cwd,
    isDryRun,
  }: { readonly places: readonly MigrationPlace[]; readonly cwd: string; readonly isDryRun: boolean },
): Promise<NewMigration> {
  const { place, title } = placeOfNew(argument, places);
  const { name: source, directory: migrationsDir } = place;
  const slug = migrationSlug(title);
  const isThere = existsSync(migrationsDir);
  try {
    if (!isDryRun) mkdirSync(migrationsDir, { recursive: true });
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `could not create the directory "${migrationsDir}"`, {
      detail: `${messageOf(error)}.`,
      cause: error,
    });
  }
  const files =
    isDryRun && !isThere ? [] : await readMigrationFolder(migrationsDir, cwd, { source, isEmptyAllowed: true });
  const name = `${nextNumber(files.map((file) => file.name))}_${slug}`;
  const path = join(migrationsDir, `${name}.sql`);
  if (isDryRun) return { source, name, path, isDryRun };
  try {
    writeFileSync(path, TEMPLATE(title), { flag: 'wx' });
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `could not write "${path}"`, {
      detail: `${messageOf(error)}.`,
      cause: error,
    });
  }
  return { source, name, path, isDryRun };
}
