import type { Session } from '../../../adapters/postgres/session.js';
import { parseStatements } from '../../../adapters/sql-parser/statements.js';
import { isAisecError } from '../../../base/errors.js';
import type { Direction } from '../../../adapters/migration-engine/engine.js';
import { placeInSection, type MigrationFile } from '../files/migration-file.js';
import { migrationFailure } from './failure.js';
import { sectionOf } from './section.js';

interface Sent {
  readonly before: string;
  readonly record: string;
  readonly commit: string;
}

/**
 * The transaction of a migration in messages of one statement each. Citus hands the text of a whole message on to its nodes,
 * which refuse several commands in one.
 */
export async function runEachStatement(
  session: Session,
  file: MigrationFile,
  direction: Direction,
  { before, record, commit }: Sent,
): Promise<void> {
  const section = sectionOf(file, direction);
  const parsed = await parseStatements(section.sql);
  if ('error' in parsed) throw new Error(`${file.path}: ${parsed.error.message}`);
  await session.query(before);
  for (const { text, offset } of parsed.statements) {
    try {
      await session.query(text);
    } catch (error) {
      if (!isAisecError(error) || error.code === 'LOCK_TIMEOUT') throw error;
      throw migrationFailure(error, file, direction, placeInSection(file, section, offset));
    }
  }
  const parsedRecord = await parseStatements(record);
  if ('error' in parsedRecord) throw new Error(parsedRecord.error.message);
  for (const { text } of parsedRecord.statements) await session.query(text);
  await session.query(commit);
}
