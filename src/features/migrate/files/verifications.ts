import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { readDirectory, readText } from '../../../adapters/files/read.js';
import { didYouMean } from '../../../base/did-you-mean.js';
import type { FileProblem, MigrationFile } from './migration-file.js';
import { placeInText } from '../../../base/text-place.js';

const SUBDIRECTORY = 'verify';

/** Puts to each migration the checks in `verify/NAME.sql`; a file there that belongs to none is a problem. */
export function withVerifications(
  files: readonly MigrationFile[],
  { directory, shown }: { readonly directory: string; readonly shown: string },
  problems: FileProblem[],
): readonly MigrationFile[] {
  const place = join(directory, SUBDIRECTORY);
  if (!existsSync(place)) return files;
  const texts = new Map<string, { readonly path: string; readonly sql: string }>();
  const names = files.map(({ name }) => name);
  for (const fileName of readDirectory(place).filter((name) => name.endsWith('.sql') && !name.startsWith('.'))) {
    const path = join(shown, SUBDIRECTORY, fileName);
    const name = fileName.slice(0, -'.sql'.length);
    const near = didYouMean(name, names);
    if (names.includes(name)) texts.set(name, { path, sql: readText(join(place, fileName)).replace(/^\uFEFF/, '') });
    else
      problems.push({
        file: path,
        line: 1,
        message: `there is no migration of this name to verify${near === undefined ? '' : `; did you mean "${near}"?`}`,
      });
  }
  return files.map((file) => {
    const verification = texts.get(file.name);
    return verification === undefined ? file : { ...file, verification };
  });
}

/** Checks that the parser cannot read, or that would end the transaction. */
export async function verificationProblems({ verification }: MigrationFile): Promise<readonly FileProblem[]> {
  if (verification === undefined) return [];
  const { path, sql } = verification;
  const { parseStatements } = await import('../../../adapters/sql-parser/statements.js');
  const parsed = await parseStatements(sql);
  if ('error' in parsed) return [{ ...placeInText(path, sql, parsed.error.offset), message: parsed.error.message }];
  if (parsed.statements.length === 0) return [{ file: path, line: 1, message: 'there is no check in this file' }];
  return parsed.statements
    .filter(({ node }) => node === 'TransactionStmt')
    .map(({ offset }) => ({
      ...placeInText(path, sql, offset),
      message: 'checks run in the transaction of their migration, and what they write is rolled back: leave this out',
    }));
}
