/**
 * Every error code with its title. docs/errors.md and `aisec help exit-codes` are generated from here, and the
 * command line maps each code to an exit code (cli/exit-codes.ts), so the compiler refuses an unknown one.
 */
export const ERROR_TITLES = {
  USAGE: 'the command line is wrong',
  CONFIG_INVALID: 'a setting has a value that cannot be used',
  DATABASE_NOT_CONFIGURED: 'no server is configured, or its address is empty, and no embedded database was meant',
  DATABASE_UNREACHABLE: 'the server does not answer',
  DATABASE_AUTH: 'the server refuses the login',
  DATABASE_MISSING: 'the server has no database of that name',
  DATABASE_POOLED: 'the connection goes through a pooler',
  DATABASE_UNSUPPORTED: 'the server is too old, its encoding is not UTF8, or Citus is in the way',
  DATABASE_FAILED: 'the database refused a statement',
  DATABASE_READ_ONLY: 'the server accepts no writes',
  DATABASE_CLOSED: 'the database was closed by the service itself',
  CONNECTION_LOST: 'the connection broke while it was in use',
  NODE_UNREACHABLE: 'a node of Citus that the command needs does not answer the coordinator',
  EXTENSION_MISSING: 'the server does not offer an extension the schema needs',
  PRIVILEGE_MISSING: 'the role may not do what the command needs',
  DISK_FULL: 'no space is left',
  DISK_FAILED: 'a disk failed, or became read-only',
  LOCK_TIMEOUT: 'could not acquire a table lock in time',
  RUN_LOCKED: 'another run of aisec holds the lock',
  RUN_TIMEOUT: 'the run took longer than it may',
  EMBEDDED_LOCKED: 'another process has the embedded database open',
  EMBEDDED_FAILED: 'the embedded database could not be opened',
  MIGRATION_FILE_INVALID: 'a migration file does not follow the format',
  MIGRATION_UNKNOWN: 'there is no migration of that name',
  MIGRATION_HISTORY: 'the migration files and the history of the database disagree',
  MIGRATION_BLOCKED: 'what is in the database would be taken for what the migrations mean',
  MIGRATION_PENDING: 'migrations are pending',
  MIGRATION_FAILED: 'a migration failed and was rolled back',
  MIGRATION_UNVERIFIED: 'a check of a migration is false, and the migration was rolled back',
  MIGRATION_INCOMPLETE: 'a migration without a transaction stopped half-way and can be resumed',
  MIGRATION_IRREVERSIBLE: 'a migration has no way back',
  SEED_INVALID: 'a seed set or file cannot be used',
  SEED_FAILED: 'a seed file failed and was rolled back',
  PARTITION_NOT_MADE: 'a month of messages could not be made; the others were',
  MESSAGES_LOST: 'messages of a drained default partition are in neither table',
  MESSAGES_DOUBLED: 'an id has several messages',
  MONTH_UNKNOWN: 'the archive has no such month',
  ARCHIVE_MONTH: 'the month is not in the archive as the command needs it',
  ARCHIVE_BLOCKED: 'a month cannot be moved as things are',
  EXPORT_INVALID: 'an export does not hold what it says, or what the archive holds',
  PG_TOOL_MISSING: 'there is no pg_dump, pg_restore or pg_dumpall that fits the server',
  PG_TOOL_FAILED: 'pg_dump, pg_restore or pg_dumpall failed',
  BACKUP_DIRECTORY: 'the directory of the backups cannot be used',
  BACKUP_UNKNOWN: 'there is no backup of that name',
  BACKUP_FORMAT: 'a backup of this format or version cannot be restored there',
  BACKUP_INVALID: 'a backup, or what belongs to it, cannot be used as it is',
  BACKUP_DAMAGED: 'the file of a backup does not hold what was backed up',
  STANDBY_CONFLICT: 'a standby cancelled what was in the way of replaying',
  STANDBY_LAG: 'the standby is further behind its primary than it may be',
  ENCRYPTION_KEY: 'no key that was given opens an encrypted backup',
  STORE_UNREACHABLE: 'the store of the off-site copies does not answer',
  STORE_AUTH: 'the store of the off-site copies refuses the key, or there is none',
  STORE_MISSING: 'the bucket of the off-site copies does not exist',
  STORE_FAILED: 'the store of the off-site copies failed',
  PACKAGE_MISSING: 'an optional package that the command needs is not installed',
  RESTORE_BLOCKED: 'the target lacks what the backup needs',
  RESTORE_FAILED: 'a restore failed; what was there before is untouched',
  SUBSET_REFUSED: 'a subset cannot be made of these rows or into this target',
  SUBSET_UNMASKED: 'an original value stands in the masked result, which was deleted',
  ERASE_BLOCKED: 'rows of others depend on those of the user who is to be erased',
  REFUSED: 'the command needs a confirmation it did not get',
  VECTOR_INDEX: 'there is no vector index, or no row, that the command could work on',
  CACHE_UNAVAILABLE: 'the database does not announce changes, so that nothing can be cached',
  REDIS_UNREACHABLE: 'Redis does not answer or refuses the login',
  USER_SCOPE: 'withUser was used in a way that cannot keep users apart',
  ROLLED_BACK: 'a transaction could not be committed, since one of its statements had failed',
  INTERRUPTED: 'stopped by Ctrl-C',
  TERMINATED: 'stopped by SIGTERM',
  NOTIFY_FAILED: 'a webhook could not be reached',
  INTERNAL: 'a fault in aisec itself',
} as const;

export type ErrorCode = keyof typeof ERROR_TITLES;

/** A place in a file: `line` and `column` count from 1; `excerpt` is that line's text. */
export interface FilePosition {
  readonly file: string;
  readonly line: number;
  readonly column?: number;
  readonly excerpt?: string;
}

export interface ErrorParts {
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly sqlState?: string | undefined;
  readonly position?: FilePosition | undefined;
  readonly cause?: unknown;
}

/**
 * The one error that leaves an operation. It has PostgreSQL's own anatomy: a one-line message (a fact, lower-case
 * start, no full stop), DETAIL (full sentences) and HINT (what to do, often a command).
 * https://www.postgresql.org/docs/16/error-style-guide.html
 */
export class AisecError extends Error {
  override readonly name = 'AisecError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly sqlState: string | undefined;
  readonly position: FilePosition | undefined;

  constructor(code: ErrorCode, message: string, parts: ErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = code;
    this.detail = parts.detail;
    this.hint = parts.hint;
    this.sqlState = parts.sqlState;
    this.position = parts.position;
  }

  /** For logs and health pages: JSON leaves out the message of an Error. */
  toJSON(): object {
    const { name, code, message, detail, hint, sqlState, position } = this;
    return { name, code, message, detail, hint, sqlState, position };
  }
}

/** What helps where a node of Citus did not answer. */
export const NODE_HINT =
  'Look at that node of Citus (aisec doctor --only citus). When it answers, run the command again; what was not committed was rolled back.';

/** A node of Citus that does not answer, while the coordinator does: nothing is wrong with what was sent. */
export function nodeUnreachable(message: string, parts: ErrorParts = {}): AisecError {
  return new AisecError('NODE_UNREACHABLE', message, { ...parts, hint: NODE_HINT });
}

export function isAisecError(error: unknown, ...codes: readonly ErrorCode[]): error is AisecError {
  return error instanceof AisecError && (codes.length === 0 || codes.includes(error.code));
}

const ENDS_RUN = ['INTERRUPTED', 'TERMINATED', 'RUN_TIMEOUT', 'CONNECTION_LOST', 'NODE_UNREACHABLE'] as const;

/**
 * Whether an error ends the run and says nothing of what the run looks at or sends: it was stopped, its connection broke, or a
 * node of Citus is away.
 */
export function endsRun(error: unknown): boolean {
  return isAisecError(error, ...ENDS_RUN);
}

/** The same error with another hint. */
export function withHint(error: AisecError, hint: string): AisecError {
  const { code, message, detail, sqlState, position, cause } = error;
  return new AisecError(code, message, { detail, hint, sqlState, position, cause });
}

/** The text of anything that was thrown, for a message or a detail. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The same with what the server, the store or the file said, for a warning, which has no detail of its own. */
export function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return isAisecError(error) && error.detail !== undefined
    ? `${message} (${error.detail.replace(/\.$/, '')})`
    : message;
}
