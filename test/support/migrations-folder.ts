import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** One migration file's text. */
export function migration(up: string, down = 'select 1;', header = ''): string {
  return `${header === '' ? '' : `${header}\n`}-- Up Migration\n${up}\n-- Down Migration\n${down}\n`;
}

export interface MigrationsFolder {
  readonly dir: string;
  write(files: Readonly<Record<string, string | Buffer>>): void;
  remove(fileName: string): void;
}

const folders = new Set<string>();

export function removeMigrationsFolders(): void {
  for (const dir of folders) rmSync(dir, { recursive: true, force: true });
}

/** A folder with the given files; removed at the end of the test file. */
export function migrationsFolder(files: Readonly<Record<string, string | Buffer>>): MigrationsFolder {
  const dir = mkdtempSync(path.join(tmpdir(), 'aisec-migrations-'));
  const folder: MigrationsFolder = {
    dir,
    write: (added) => {
      for (const [name, text] of Object.entries(added)) writeFileSync(path.join(dir, name), text);
    },
    remove: (fileName) => rmSync(path.join(dir, fileName)),
  };
  folder.write(files);
  folders.add(dir);
  return folder;
}

/** Writes migration files, name to Up SQL, into a directory, or one of their own, and returns it. The Down does nothing. */
export function writeMigrations(files: Readonly<Record<string, string>>, directory?: string): string {
  const target = directory ?? mkdtempSync(path.join(tmpdir(), 'aisec-test-migrations-'));
  mkdirSync(target, { recursive: true });
  for (const [name, up] of Object.entries(files)) writeFileSync(path.join(target, `${name}.sql`), migration(up));
  return target;
}

/** A directory with `db/`, as a team has it; removed at the end of the test file. */
export function teamDirectory(files: Readonly<Record<string, string>>): string {
  const made = mkdtempSync(path.join(tmpdir(), 'aisec-team-'));
  folders.add(made);
  mkdirSync(path.join(made, 'db'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(made, 'db', name), text);
  return made;
}
