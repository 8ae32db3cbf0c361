import { readFileSync } from 'node:fs';

import type { Direction } from '../../../adapters/migration-engine/engine.js';
import type { Statement } from '../../../adapters/sql-parser/statements.js';
import { packageFile } from '../../../base/package-file.js';
import type { MigrationFile } from './migration-file.js';

/** Beside the bundle; written by .config/build.js. */
const EXAMINED_FILE = 'dist/bundle/examined-migrations.json';

/** By the checksum of a file: the statements of one that runs without a transaction, else null. */
export type Examined = Readonly<Record<string, Readonly<Partial<Record<Direction, readonly Statement[]>>> | null>>;

let examined: Examined | undefined;

function readExamined(): Examined {
  try {
    return JSON.parse(readFileSync(packageFile(EXAMINED_FILE), 'utf8')) as Examined;
  } catch {
    // Not built yet: then every file is parsed when it runs.
    return {};
  }
}

function find({ checksum }: Pick<MigrationFile, 'checksum'>): Examined[string] | undefined {
  examined ??= readExamined();
  return examined[checksum];
}

/**
 * Whether PostgreSQL's parser has read this very text when the package was built, and found nothing that does not belong in
 * a migration. The bundled ones are known by their checksums, so that `migrate up` need not load the parser for them.
 */
export function isExaminedAtBuild(file: Pick<MigrationFile, 'checksum'>): boolean {
  return find(file) !== undefined;
}

/** Its statements, which are sent one by one; undefined: they are not known. */
export function statementsAtBuild(
  file: Pick<MigrationFile, 'checksum'>,
  direction: Direction,
): readonly Statement[] | undefined {
  return find(file)?.[direction];
}
