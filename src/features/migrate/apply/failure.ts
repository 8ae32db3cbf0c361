import { queryPositionOf } from '../../../adapters/postgres/error.js';
import { deniedByServer } from '../../../adapters/postgres/explain/missing-privilege.js';
import type { Piece } from '../../../adapters/sql-parser/pieces.js';
import { AisecError, endsRun, isAisecError, type FilePosition } from '../../../base/errors.js';
import { offsetOfCharacter } from '../../../base/text-place.js';
import { placeInSection, type MigrationFile, type MigrationSection } from '../files/migration-file.js';
import { labelOf } from '../files/source.js';
import { verificationFailure } from './verification.js';

/** Of a run that is rolled back in any case nothing else has to be said. */
type Attempt = 'up' | 'down' | 'tried';

const KEPT: Readonly<Record<Attempt, string>> = {
  up: 'Nothing of this migration was kept; those before it stay.',
  down: 'Nothing of this migration was reverted, and it stays applied.',
  tried: 'No changes were made.',
};

const AGAIN: Readonly<Record<Attempt, string>> = {
  up: 'run `aisec migrate up` again',
  down: 'run the command again',
  tried: 'run the command again',
};

/** Classes of SQLSTATE with which the server says what it cannot do now: resources, limits, objects in use, operators, its disk. */
const OF_THE_SERVER = /^(?:40|53|55|57|58)/;

/** An applied file is known by its checksum: an edit alone would be refused as one. */
function editHint(file: MigrationFile, direction: 'up' | 'down', attempt: Attempt): string {
  if (direction === 'up') return `Fix the file and ${AGAIN[attempt]}.`;
  return `Change what the server names in the database and ${AGAIN[attempt]}. Or is the Down section wrong? Edit it, then: aisec migrate repair ${labelOf(file)} --reason "the Down was wrong"`;
}

/** What helps: not every reader may edit the file, and not every error is its fault. */
function hintFor(file: MigrationFile, direction: 'up' | 'down', attempt: Attempt, error: AisecError): string {
  const [kept, again] = [KEPT[attempt], AGAIN[attempt]];
  if (error.sqlState === '25001')
    return `${kept} The statement cannot run inside a transaction: put "-- aisec: no-transaction" before the Up marker.`;
  if (error.code === 'PRIVILEGE_MISSING')
    return deniedByServer(error) === undefined ? `${kept} Run it as a role that may (--role ROLE).` : kept;
  if (OF_THE_SERVER.test(error.sqlState ?? ''))
    return `${kept} Nothing is wrong with the file: settle what the server says, and ${again}.`;
  if (file.path.split(/[\\/]/).includes('node_modules'))
    return `${kept} The file belongs to the installed package: change what the server names in the database, and ${again}.`;
  return `${kept} ${editHint(file, direction, attempt)}`;
}

/** The place of a server error; the server counts from 1, and from the start of a text that began `before` the section. */
export function placeOfError(
  error: AisecError,
  file: MigrationFile,
  section: MigrationSection,
  before = 0,
): FilePosition | undefined {
  const position = queryPositionOf(error);
  if (position === undefined || position <= before) return undefined;
  const offset = offsetOfCharacter(section.sql, position - 1 - before);
  // Behind it stands what is not the file's.
  return offset === undefined ? undefined : placeInSection(file, section, offset);
}

/**
 * The first statement that fails to finish has no position when it fails at run time (a violated constraint, say).
 * The server has said how many statements it completed, and the parser finds where the next one stands.
 *
 * @param sent what the server was sent of the section, and where in it that began.
 */
export async function placeOfStatement(
  completed: number,
  file: MigrationFile,
  section: MigrationSection,
  sent: Pick<Piece, 'text' | 'offset'> = { text: section.sql, offset: 0 },
): Promise<FilePosition | undefined> {
  const { parseStatements } = await import('../../../adapters/sql-parser/statements.js');
  const parsed = await parseStatements(sent.text, sent.offset);
  if ('error' in parsed) return undefined;
  const statement = parsed.statements[completed];
  return statement === undefined ? undefined : placeInSection(file, section, statement.offset);
}

/**
 * The error of a migration that was rolled back, with the file, line, column and the server's own words.
 *
 * @param isTried whether the caller rolls everything back.
 */
export function migrationFailure(
  error: unknown,
  file: MigrationFile,
  direction: 'up' | 'down',
  position: FilePosition | undefined,
  isTried = false,
): unknown {
  const unverified = verificationFailure(error, file);
  if (unverified !== undefined) return unverified;
  // They speak for themselves and are not the migration's fault.
  if (!isAisecError(error) || endsRun(error) || error.code === 'DISK_FULL') return error;
  const attempt = isTried ? 'tried' : direction;
  const way = direction === 'up' ? '' : ' could not be reverted';
  return new AisecError(
    error.code === 'PRIVILEGE_MISSING' ? error.code : 'MIGRATION_FAILED',
    `migration ${labelOf(file)}${way}: ${error.message}`,
    {
      position: position ?? { file: file.path, line: 1 },
      detail: error.detail,
      hint: [error.hint, hintFor(file, direction, attempt, error)].filter((part) => part !== undefined).join(' '),
      sqlState: error.sqlState,
      cause: error.cause,
    },
  );
}
