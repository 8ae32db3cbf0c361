import { queryPositionOf } from '../../adapters/postgres/error.js';
import { deniedByServer } from '../../adapters/postgres/explain/missing-privilege.js';
import type { Session } from '../../adapters/postgres/session.js';
import { AisecError, endsRun, isAisecError, type ErrorCode } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { SCHEMA_COLUMNS } from '../../schema/columns.js';
import { placeInText } from '../../base/text-place.js';
import type { SeedFile, SeedStatement } from './seed-file.js';

/** Errors that speak for themselves and are not the file's fault. */
const NOT_THE_FILE: readonly ErrorCode[] = ['DISK_FULL', 'LOCK_TIMEOUT', 'DATABASE_READ_ONLY'];
/** undefined_table, undefined_function, undefined_column, undefined_object, invalid_schema_name */
const MISSING_OBJECT = new Set(['42P01', '42883', '42703', '42704', '3F000']);

const KEPT = 'Nothing of the set was kept.';
const OWNER_HINT = `${KEPT} Run it as the owner of the tables, the role that runs \`aisec migrate up\`.`;
const FIX_HINT = 'No changes were made. Fix the file and run it again.';

/** The privilege is named where the server's own error is passed on. */
function hintFor(error: AisecError, takesPassword: boolean): string {
  if (error.code !== 'PRIVILEGE_MISSING') return FIX_HINT;
  return takesPassword || deniedByServer(error) === undefined ? OWNER_HINT : KEPT;
}

/** The server counts characters, JavaScript counts UTF-16 units. */
function unitsBefore(text: string, characters: number): number {
  return Array.from(text).slice(0, characters).join('').length;
}

/**
 * The error of a statement of a seed file, with file, line and column. What the server says about a statement with the
 * password may quote it, clipped even: the password is masked and the detail, which quotes whole rows, is left out.
 */
export function seedFailure(error: unknown, file: SeedFile, statement: SeedStatement, password: string): unknown {
  if (!isAisecError(error) || endsRun(error) || NOT_THE_FILE.includes(error.code)) return error;
  const position = queryPositionOf(error);
  const offset = statement.offset + (position === undefined ? 0 : unitsBefore(statement.text, position - 1));
  const mask = (text: string): string => (password === '' ? text : text.replaceAll(password, '***'));
  const isDenied = error.code === 'PRIVILEGE_MISSING';
  return new AisecError(
    isDenied ? 'PRIVILEGE_MISSING' : 'SEED_FAILED',
    `seed file ${file.name}: ${mask(error.message)}`,
    {
      position: placeInText(file.path, file.content, offset),
      detail: statement.takesPassword || error.detail === undefined ? undefined : mask(error.detail),
      hint: error.hint === undefined ? hintFor(error, statement.takesPassword) : mask(error.hint),
      sqlState: error.sqlState,
      cause: statement.takesPassword ? undefined : error.cause,
    },
  );
}

/**
 * A missing table is most often a schema that is not migrated; asked only after the rollback, so that a set for tables
 * of one's own needs no migrations of aisec's.
 */
export async function explainMissingObject(error: unknown, session: Session, schema: string): Promise<unknown> {
  if (!isAisecError(error, 'SEED_FAILED') || !MISSING_OBJECT.has(error.sqlState ?? '')) return error;
  const { rows } = await session.query<{ is_migrated: boolean }>(
    'select pg_catalog.to_regclass($1) is not null as is_migrated',
    [`${quoteIdentifier(schema)}.pgmigrations`],
  );
  const { message, detail, position, sqlState, cause } = error;
  // What a later migration makes is missing, too, where only the first ones are applied.
  const relation = /^seed file .*?: relation "(\w+)" does not exist$/.exec(message)?.[1] ?? '';
  if (rows[0]?.is_migrated === true && !Object.hasOwn(SCHEMA_COLUMNS, relation)) {
    const hint =
      'Nothing of the set was kept. If `aisec migrate status` shows pending migrations, run: aisec migrate up';
    return new AisecError('SEED_FAILED', message, { detail, hint, position, sqlState, cause });
  }
  return new AisecError('MIGRATION_PENDING', `the schema "${schema}" of ${session.info.label} is not migrated`, {
    detail: `No changes were made. What failed: ${message}.`,
    hint: 'Run: aisec migrate up',
    sqlState,
    cause,
  });
}
