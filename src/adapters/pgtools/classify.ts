import { AisecError, type ErrorCode } from '../../base/errors.js';
import { redactText } from '../../base/redact.js';
import type { PgTool } from './tool.js';

const MOST_LINES = 6;

/** By what libpq and the programs write in English; the first that fits. Texts: PostgreSQL 15 to 18. */
const CODES: readonly (readonly [pattern: RegExp, code: ErrorCode])[] = [
  [/server version mismatch|unsupported version \(/, 'PG_TOOL_MISSING'],
  [/No space left on device|Disk quota exceeded/, 'DISK_FULL'],
  // Of this machine, whatever was being read.
  [/Input\/output error|out of memory|Cannot allocate memory/, 'PG_TOOL_FAILED'],
  [/due to conflict with recovery/, 'STANDBY_CONFLICT'],
  [/row-level security|permission denied/, 'PRIVILEGE_MISSING'],
  [/canceling statement due to (statement|lock) timeout|could not obtain lock/, 'LOCK_TIMEOUT'],
  [/password authentication failed|no password supplied|pg_hba\.conf|authentication failed/, 'DATABASE_AUTH'],
  [/FATAL: +database ".*" does not exist/, 'DATABASE_MISSING'],
  [
    /closed the connection unexpectedly|terminating connection|SSL SYSCALL error|no connection to the server|PQ(get|put)CopyData/,
    'CONNECTION_LOST',
  ],
  [/connection to server .* failed|could not translate host name/, 'DATABASE_UNREACHABLE'],
  [/extension ".*" is not available/, 'EXTENSION_MISSING'],
  [
    /could not (un|de)?compress|could not read from input file|unexpected end of file|valid archive|magic string|in file header|corrupt|unexpected block ID|entry ID .* out of range|bogus data length|unexpected data offset flag|error during file seek|sanity check on integer size|invalid (ENCODING|STDSTRINGS) item|unrecognized encoding|differs from format found in file|know how to set owner/,
    'BACKUP_INVALID',
  ],
];

const HINTS: Partial<Record<ErrorCode, string>> = {
  DATABASE_UNREACHABLE: 'Run the command again; --wait-for-database 30s retries while no connection is left.',
  PG_TOOL_MISSING: 'Install newer client programs of PostgreSQL, or set AISEC_PG_BIN to their directory.',
  DISK_FULL: 'Free some space and run the command again.',
  CONNECTION_LOST: 'Run the command again; the log of the server says why the session ended.',
  BACKUP_INVALID: 'Use another backup: aisec backup list shows them.',
};

/** SQLSTATE 53300, which the programs do not print. */
const NO_CONNECTION_LEFT =
  /FATAL: +(sorry, too many clients already|remaining connection slots|too many connections for)/;

/** SQLSTATE 57P03. */
const NOT_UP = /FATAL: +the database system is ((starting|shutting)|not (yet )?accepting)/;

/** With --verbose a program says what it does; one of several connections of it may fail after that. */
const HAS_BEGUN = /^\S+: (creating|processing|executing|launching|dumping|reading|saving) /m;

/** Whether the server refused the first connection of a program, for a reason that ends by itself. */
export function wasRefusedForNow(stderr: string): boolean {
  return (NO_CONNECTION_LEFT.test(stderr) || NOT_UP.test(stderr)) && !HAS_BEGUN.test(stderr);
}

/**
 * What stands in front of the text of a message, each part written by itself: of several processes that write to the same
 * place, as with --jobs, the parts of one may stand in front of the text of another.
 */
const BEFORE_TEXT = /^(?:pg_\w+:| |(?:error|fatal|warning|detail|hint): )*/;

/** `pg_dump: error: …`, `pg_dump: detail: …` or the server's `ERROR: …`; not what --verbose says. */
export function isErrorLine(line: string): boolean {
  if (/^\S+: (error|fatal): |(^|: )(ERROR|FATAL|PANIC): /.test(line)) return true;
  const [before = ''] = BEFORE_TEXT.exec(line) ?? [];
  return /(error|fatal): /.test(before);
}

/** What --verbose says is in the present or, of a finished item, in the past, and has the name of the program. */
const VERBOSE_TEXT =
  /^ ?(creating|processing|executing|launching|dumping|reading|saving|finished|identifying|flagging) /;

/** Whether the beginnings of two messages stand in front of one text, so that another text has none. */
function isMixed(line: string): boolean {
  return (BEFORE_TEXT.exec(line)?.[0].match(/pg_\w+:/g)?.length ?? 0) > 1;
}

function hasNoBeginning(line: string): boolean {
  return BEFORE_TEXT.exec(line)?.[0].trim() === '' && !VERBOSE_TEXT.test(line);
}

/** Of the first of several processes, when another one has failed and said why; it may get to say it or not. */
const OTHER_FAILED = /^pg_\w+: error: a worker process died unexpectedly$/;

/** The first line is the cause; the last ones are nearest to what it came to. */
function shortened(lines: readonly string[]): readonly string[] {
  return lines.length <= MOST_LINES ? lines : [...lines.slice(0, 1), ...lines.slice(1 - MOST_LINES)];
}

function relevant(all: readonly string[]): readonly string[] {
  const others = all.filter((line) => !OTHER_FAILED.test(line));
  const lines = others.some(isErrorLine) ? others : all;
  const isDetail = (line: string): boolean =>
    /^\S+: (detail|hint): |^(DETAIL|HINT|LINE \d+): /.test(line) || /^\s/.test(line);
  const areMixed = lines.some(isMixed);
  const picked = lines.filter(
    (line, index) => isErrorLine(line) || (index > 0 && (isDetail(line) || (areMixed && hasNoBeginning(line)))),
  );
  return picked.length > 0 ? shortened(picked) : lines.slice(-MOST_LINES);
}

/** The error code for what a program wrote on stderr. */
export function classify(stderr: string): ErrorCode {
  return CODES.find(([pattern]) => pattern.test(stderr))?.[1] ?? 'PG_TOOL_FAILED';
}

/** The same failure with what was found out of it otherwise. */
export function withCode(error: AisecError, code: ErrorCode): AisecError {
  return new AisecError(code, error.message, { detail: error.detail, hint: HINTS[code], cause: error });
}

/** What a length that is damaged comes to; what is written of a server stands in a line of its own, behind `ERROR:`. */
const OUT_OF_MEMORY = /^(pg_restore: (error|fatal): )?out of memory$/m;
/** More than reading any archive takes. */
const SPARE_BYTES = 64 * 1024 * 1024;
/** By its own doing; others come from outside. */
const CRASHES: readonly (NodeJS.Signals | null)[] = ['SIGSEGV', 'SIGABRT', 'SIGFPE'];

/** This process has the limits that its children have. */
function hasMemoryToSpare(): boolean {
  try {
    return Buffer.allocUnsafeSlow(SPARE_BYTES).length === SPARE_BYTES;
  } catch {
    return false;
  }
}

/** Whether a program stumbled over the archive that it was reading, though it does not say so. */
function hasStumbled({ readsOnly, signal, stderr }: ToolFailure): boolean {
  if (readsOnly !== true) return false;
  return CRASHES.includes(signal) || (OUT_OF_MEMORY.test(stderr) && hasMemoryToSpare());
}

export interface ToolFailure {
  readonly tool: PgTool;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** It read an archive, and worked on nothing else. */
  readonly readsOnly?: boolean | undefined;
}

/** The toolkit's error for a program that failed, with its own words as the detail. */
export function toolError(failure: ToolFailure): AisecError {
  const { tool, exitCode, signal, stderr } = failure;
  const lines = redactText(stderr)
    .split('\n')
    .filter((line) => line.trim() !== '');
  // Of what --verbose says, such as "reading row-level security policies", nothing is an error.
  const said = lines.some(isErrorLine) ? classify(relevant(lines).join('\n')) : 'PG_TOOL_FAILED';
  const code = said === 'PG_TOOL_FAILED' && hasStumbled(failure) ? 'BACKUP_INVALID' : said;
  if (NO_CONNECTION_LEFT.test(stderr))
    return new AisecError('DATABASE_UNREACHABLE', `no connection is left for ${tool.name}`, {
      detail: relevant(lines).join('\n'),
      hint: 'End sessions that are not needed (see pg_stat_activity), or raise the limit that the server names. --wait-for-database 30s retries.',
    });
  const ending = signal === null ? `failed with exit code ${exitCode ?? '?'}` : `was ended by ${signal}`;
  return new AisecError(code, `${tool.name} ${ending}`, {
    detail: relevant(lines).join('\n') || `It ${ending} and wrote nothing about it.`,
    hint: HINTS[code],
  });
}
