import { AisecError, isAisecError, messageOf, NODE_HINT, nodeUnreachable, type ErrorCode } from '../../base/errors.js';
import { redactText } from '../../base/redact.js';

/** What pg's DatabaseError carries and what Node puts on a socket error; both are plain properties. */
interface ForeignError {
  readonly code?: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly position?: string;
  readonly severity?: string;
  readonly constraint?: string;
  readonly routine?: string;
  /** The context of the error. */
  readonly where?: string;
}

/** https://www.postgresql.org/docs/16/errcodes-appendix.html */
const CODE_BY_SQL_STATE: Readonly<Record<string, ErrorCode>> = {
  '25006': 'DATABASE_READ_ONLY',
  '25P03': 'CONNECTION_LOST',
  '25P04': 'CONNECTION_LOST',
  '28000': 'DATABASE_AUTH',
  '28P01': 'DATABASE_AUTH',
  '3D000': 'DATABASE_MISSING',
  '40P01': 'LOCK_TIMEOUT',
  '42501': 'PRIVILEGE_MISSING',
  '53100': 'DISK_FULL',
  '53300': 'DATABASE_UNREACHABLE',
  '55P03': 'LOCK_TIMEOUT',
  '57P01': 'CONNECTION_LOST',
  '57P02': 'CONNECTION_LOST',
  '57P03': 'DATABASE_UNREACHABLE',
  '57P04': 'CONNECTION_LOST',
  '57P05': 'CONNECTION_LOST',
};
/** lock_not_available, deadlock_detected, serialization_failure. */
const PASSING_SQL_STATES: readonly unknown[] = ['55P03', '40P01', '40001'];
const SOCKET_CODES = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EACCES',
]);
const LOST = /Connection terminated|Client has encountered a connection error|not queryable|Client was closed/;

const HINTS: Partial<Record<ErrorCode, string>> = {
  DATABASE_READ_ONLY: 'It is a standby or set to read only; use the primary.',
  DISK_FULL: 'Free some space and run the command again; nothing half-done was kept.',
  STANDBY_CONFLICT: 'Run the command again; a longer max_standby_streaming_delay lets the standby wait for it.',
  CONNECTION_LOST: 'What was not committed was rolled back; run the command again.',
};

function sqlStateOf(error: ForeignError): string | undefined {
  return error.severity !== undefined && error.code !== undefined && /^[0-9A-Z]{5}$/.test(error.code)
    ? error.code
    : undefined;
}

/** Functions of the server that end a statement because another session has just changed the row of a catalog. */
const OF_CATALOG_RACES: readonly unknown[] = ['simple_heap_update', 'simple_heap_delete'];

/**
 * Whether two sessions changed one row of a catalog at once: a GRANT on the same database, CREATE EXTENSION of the same one.
 * The server has no lock to wait for there, and a second attempt finds what the other session has done.
 */
function isCatalogRace({ constraint, routine }: ForeignError, sqlState: string): boolean {
  if (sqlState === 'XX000') return OF_CATALOG_RACES.includes(routine);
  return sqlState === '23505' && constraint === 'pg_extension_name_index';
}

/** What ends a connection is FATAL; as an ERROR it is of one that the server has itself, as to a node of Citus. */
function codeOfState({ severity }: ForeignError, sqlState: string): ErrorCode {
  // Whatever its SQLSTATE, as for a conflict with recovery on a standby.
  const isEnd = sqlState.startsWith('08') || severity === 'FATAL' || severity === 'PANIC';
  const code = CODE_BY_SQL_STATE[sqlState] ?? (isEnd ? 'CONNECTION_LOST' : 'DATABASE_FAILED');
  const isOfOurs = severity !== 'ERROR' || (code !== 'CONNECTION_LOST' && code !== 'DATABASE_UNREACHABLE');
  return isOfOurs ? code : 'DATABASE_FAILED';
}

const OF_NODES =
  /remote node|\bnode \S+:\d+ failed|to \S+:\d+ to get size|get the size because of a connection error|on connection marked as essential/;

/** What libpq says of a connection that broke. It has no SQLSTATE then, for which Citus gives its own of an internal error. */
const BROKEN =
  /^(?:SSL (?:SYSCALL )?error|SSL connection has been closed|server closed the connection|could not (?:receive|send) data|no connection to the server|lost synchronization|postmaster was shut down)/;
/** What Citus says, as an ERROR, where it waits for a node and its own server is gone: the session ends with it. */
const OWN_END = 'postmaster was shut down, exiting';

function isBroken({ where = '' }: ForeignError, sqlState: string, message: string): boolean {
  return sqlState === 'XX000' && BROKEN.test(message) && nodeIn(where) !== undefined;
}

/** Citus names the node in the message, or in the context of what the node itself said. */
function isOfNode(error: ForeignError, sqlState: string, message: string): boolean {
  const { severity, where = '' } = error;
  if (severity === 'ERROR' && isBroken(error, sqlState, message)) return true;
  if (severity !== 'ERROR' || !/^(?:08|57P|53300)/.test(sqlState)) return false;
  return OF_NODES.test(message) || nodeIn(where) !== undefined;
}

function nodeIn(where: string): string | undefined {
  return /while executing command on (\S+:\d+)/.exec(where)?.[1];
}

/** Functions of the server that end a statement, and nothing but it, because a standby has to replay what is in its way. */
const OF_REPLAY: readonly unknown[] = ['ProcessInterrupts', 'ProcessRecoveryConflictInterrupt'];

function isReplayConflict({ severity, routine }: ForeignError, sqlState: string): boolean {
  return sqlState === '40001' && severity === 'ERROR' && OF_REPLAY.includes(routine);
}

function codeOf(error: ForeignError, sqlState: string | undefined, message: string): ErrorCode {
  if (sqlState !== undefined && isCatalogRace(error, sqlState)) return 'LOCK_TIMEOUT';
  if (sqlState !== undefined && isReplayConflict(error, sqlState)) return 'STANDBY_CONFLICT';
  if (sqlState === 'XX000' && message === OWN_END) return 'CONNECTION_LOST';
  if (sqlState !== undefined) return codeOfState(error, sqlState);
  if (error.code === 'ENOSPC') return 'DISK_FULL';
  if ((error.code !== undefined && SOCKET_CODES.has(error.code)) || LOST.test(message)) return 'CONNECTION_LOST';
  return 'DATABASE_FAILED';
}

/** Whether a problem that a function of the schema reports by its SQLSTATE goes away by itself: another session was in the way. */
export function isPassingProblem(sqlState: unknown): boolean {
  return PASSING_SQL_STATES.includes(sqlState);
}

function saidBy(node: string | undefined, message: string): string {
  return node === undefined ? message : `the node ${node} of Citus says: ${message}`;
}

/** In one line; libpq's advice is its second. The message of a node that ends does not say which. */
function nodeError(error: ForeignError, sqlState: string, message: string, cause: unknown): AisecError {
  const [first = '', ...others] = message.split(/\s*\n\s*/);
  return nodeUnreachable(saidBy(nodeIn(error.where ?? ''), first), {
    detail: error.detail ?? (others.length === 0 ? undefined : others.join(' ')),
    sqlState,
    cause,
  });
}

/** The toolkit's error for what the driver threw while a connection was in use; the original stays as its cause. */
export function translateError(thrown: unknown): AisecError {
  if (isAisecError(thrown)) return thrown;
  const error = thrown as ForeignError;
  const sqlState = sqlStateOf(error);
  const message = redactText(messageOf(thrown));
  if (sqlState !== undefined && isOfNode(error, sqlState, message)) return nodeError(error, sqlState, message, thrown);
  const code = codeOf(error, sqlState, message);
  // Inside a function, Citus ends our session with what a node said at its end.
  const node = nodeIn(error.where ?? '');
  return new AisecError(code, code === 'CONNECTION_LOST' ? 'lost the connection to the database' : message, {
    detail: error.detail ?? (code === 'CONNECTION_LOST' ? saidBy(node, message) : undefined),
    hint: error.hint ?? (code === 'CONNECTION_LOST' && node !== undefined ? NODE_HINT : HINTS[code]),
    sqlState,
    cause: thrown,
  });
}

/** Where in the text that was sent the server saw the error: characters, from 1. */
export function queryPositionOf(error: AisecError): number | undefined {
  const position = (error.cause as ForeignError | undefined)?.position;
  return position === undefined ? undefined : Number(position);
}
