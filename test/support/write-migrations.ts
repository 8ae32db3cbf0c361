import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Writes migration files into a directory of their own, name to Up SQL, and returns it. The Down does nothing. */
export function writeMigrations(files: Readonly<Record<string, string>>, directory?: string): string {
  const target = directory ?? mkdtempSync(path.join(tmpdir(), 'aisec-test-migrations-'));
  mkdirSync(target, { recursive: true });
  for (const [name, up] of Object.entries(files))
    writeFileSync(path.join(target, `${name}.sql`), `-- Up Migration\n${up}\n-- Down Migration\nselect 1;\n`);
  return target;
}
