import type { Direction } from '../../../adapters/migration-engine/engine.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { startAgain } from '../../../adapters/postgres/start-again.js';
import { isAisecError } from '../../../base/errors.js';
import { piecesOf, type Piece } from '../../../adapters/sql-parser/pieces.js';
import { charactersBefore } from '../../../base/text-place.js';
import type { MigrationFile } from '../files/migration-file.js';
import { transactionSettings, type ApplyOptions } from './apply.js';
import { sectionOf } from './section.js';
import { verificationSql } from './verification.js';
import { migrationFailure, placeOfError, placeOfStatement } from './failure.js';

/** Makes the session and the open transaction what a section expects. */
export async function enterSection(session: Session, options: ApplyOptions): Promise<void> {
  await startAgain(session);
  await session.query(transactionSettings(options));
}

/** Asks the checks of a migration in the transaction that is open. @throws AisecError MIGRATION_UNVERIFIED. */
export async function verifyRehearsed(session: Session, file: MigrationFile): Promise<void> {
  if (file.verification === undefined) return;
  try {
    await session.query(`reset session authorization; reset role; ${await verificationSql(file.verification)}`);
  } catch (error) {
    throw migrationFailure(error, file, 'up', undefined, true);
  }
}

/**
 * Runs one section in the transaction that is open.
 *
 * @param isTried whether the caller rolls it back.
 * @throws AisecError as the real run.
 */
export async function rehearse(
  session: Session,
  file: MigrationFile,
  direction: Direction,
  options: ApplyOptions,
  isTried = true,
): Promise<void> {
  const section = sectionOf(file, direction);
  await enterSection(session, options);
  let sent: Piece | undefined;
  try {
    for (sent of piecesOf(section.sql)) await session.query(sent.text);
  } catch (error) {
    const before = -charactersBefore(section.sql, sent?.offset ?? 0);
    const position = isAisecError(error)
      ? (placeOfError(error, file, section, before) ??
        (await placeOfStatement(session.completedStatements, file, section, sent)))
      : undefined;
    throw migrationFailure(error, file, direction, position, isTried);
  }
  if (direction === 'up') await verifyRehearsed(session, file);
}
