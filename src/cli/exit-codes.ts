import type { ErrorCode } from '../base/errors.js';

/** The published table of docs/cli.md; `aisec help exit-codes` prints it. */
export const EXIT_CODES = {
  0: 'done, or nothing to do',
  1: 'failed; nothing half-done is left behind, or the message says what is and how to continue',
  2: 'wrong usage or configuration; no changes were made',
  3: 'a check says no: pending, edited, missing, renamed or late migrations, findings of doctor, lint or on partitions, old types, a backup that is damaged, a server that lacks what it needs',
  4: 'the database, Redis, or the store of the off-site copies cannot be reached or refuses the login',
  5: 'busy: another run holds the lock, a table lock could not be acquired in time, or the server is a standby that accepts no writes or had to replay; try again later',
  6: 'refused: needs --yes, a typed name or a password, or is never done in production',
  130: 'interrupted (Ctrl-C); the statement was cancelled and rolled back, locks were released',
  143: 'terminated (SIGTERM); the same',
} as const;

export type ExitCode = keyof typeof EXIT_CODES;

export const EXIT_CODE_BY_ERROR: Readonly<Record<ErrorCode, ExitCode>> = {
  USAGE: 2,
  CONFIG_INVALID: 2,
  DATABASE_NOT_CONFIGURED: 2,
  DATABASE_UNREACHABLE: 4,
  DATABASE_AUTH: 4,
  DATABASE_MISSING: 4,
  DATABASE_POOLED: 2,
  DATABASE_UNSUPPORTED: 2,
  DATABASE_FAILED: 1,
  DATABASE_READ_ONLY: 5,
  DATABASE_CLOSED: 1,
  CONNECTION_LOST: 4,
  NODE_UNREACHABLE: 4,
  EXTENSION_MISSING: 1,
  PRIVILEGE_MISSING: 1,
  DISK_FULL: 1,
  DISK_FAILED: 1,
  LOCK_TIMEOUT: 5,
  RUN_LOCKED: 5,
  RUN_TIMEOUT: 1,
  EMBEDDED_LOCKED: 5,
  EMBEDDED_FAILED: 1,
  MIGRATION_FILE_INVALID: 2,
  MIGRATION_UNKNOWN: 2,
  MIGRATION_HISTORY: 3,
  MIGRATION_BLOCKED: 3,
  MIGRATION_PENDING: 3,
  MIGRATION_FAILED: 1,
  MIGRATION_UNVERIFIED: 3,
  MIGRATION_INCOMPLETE: 1,
  MIGRATION_IRREVERSIBLE: 6,
  SEED_INVALID: 2,
  SEED_FAILED: 1,
  PARTITION_NOT_MADE: 1,
  MESSAGES_LOST: 1,
  MESSAGES_DOUBLED: 1,
  MONTH_UNKNOWN: 2,
  ARCHIVE_MONTH: 1,
  ARCHIVE_BLOCKED: 3,
  EXPORT_INVALID: 3,
  PG_TOOL_MISSING: 2,
  PG_TOOL_FAILED: 1,
  BACKUP_DIRECTORY: 2,
  BACKUP_UNKNOWN: 2,
  BACKUP_FORMAT: 2,
  BACKUP_INVALID: 3,
  BACKUP_DAMAGED: 3,
  STANDBY_CONFLICT: 5,
  STANDBY_LAG: 3,
  ENCRYPTION_KEY: 2,
  STORE_UNREACHABLE: 4,
  STORE_AUTH: 4,
  STORE_MISSING: 4,
  STORE_FAILED: 1,
  PACKAGE_MISSING: 2,
  RESTORE_BLOCKED: 3,
  RESTORE_FAILED: 1,
  SUBSET_REFUSED: 3,
  SUBSET_UNMASKED: 1,
  ERASE_BLOCKED: 3,
  REFUSED: 6,
  VECTOR_INDEX: 3,
  CACHE_UNAVAILABLE: 3,
  REDIS_UNREACHABLE: 4,
  USER_SCOPE: 1,
  ROLLED_BACK: 1,
  INTERRUPTED: 130,
  TERMINATED: 143,
  NOTIFY_FAILED: 1,
  INTERNAL: 1,
};

/** Of a command that works until it is stopped: Ctrl-C is how it ends, so that is no error. */
export function exitCodeOf(signal: AbortSignal): ExitCode {
  return signal.reason === 'SIGTERM' ? 143 : 130;
}

const WIDTH = 80;

function wrap(text: string, indent: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && indent.length + line.length + word.length + 1 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${indent}`);
}

/** The table for `aisec help exit-codes` and docs/cli.md. */
export function exitCodesText(): string {
  const lines = Object.entries(EXIT_CODES).map(([code, meaning]) => `${code.padStart(3)}  ${wrap(meaning, '     ')}`);
  return `Exit codes:\n${lines.join('\n')}\n`;
}
