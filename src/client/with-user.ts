import type { IsolationLevel, Kysely, Transaction } from 'kysely';

import { findDriver } from '../adapters/postgres/pool/pool-dialect.js';
import { onAbort } from '../adapters/postgres/pool/on-abort.js';
import { currentScope, inUserScope } from '../adapters/postgres/pool/user-scope.js';
import { parseLsn } from '../adapters/postgres/pool/write-positions.js';
import { AisecError } from '../base/errors.js';
import { checkDatabase, checkOptions } from './check-arguments.js';
import { withRetry } from './retry.js';

export interface UserOptions {
  /** Default: `authenticated`. */
  readonly role?: string;
  readonly isolationLevel?: IsolationLevel;
  /** Refuses writes (25006). */
  readonly isReadOnly?: boolean;
  /**
   * Keeps what is read only from the replicas (`replicaUrls` of createDatabase). Without it a replica serves it that has
   * replayed the user's last write of this process, and that of `notBefore`.
   */
  readonly needsPrimary?: boolean;
  /** A position of the log, from `writePosition`, that a replica must have replayed: what another process wrote. */
  readonly notBefore?: string | undefined;
  /** Longest time for one statement; 57014 after it. Default: as the server has it. */
  readonly statementTimeoutMs?: number;
  /** Longest pause between two statements, after which the server ends the session (25P03). Default: 60 s. */
  readonly idleTimeoutMs?: number;
  /**
   * How often the callback is run again, in a new transaction, when it ended in a conflict (40001, 40P01) or its connection
   * was lost. Default: 0. What the callback does outside of the transaction is then done again, too.
   */
  readonly retry?: number;
  /**
   * Ends it when aborted, until COMMIT is sent: a statement under way is cancelled on the server, the transaction is rolled
   * back, and the promise rejects with the signal's reason. Nothing is sent for a signal that was aborted before.
   */
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: Readonly<Record<keyof UserOptions, true>> = {
  role: true,
  isolationLevel: true,
  isReadOnly: true,
  needsPrimary: true,
  notBefore: true,
  statementTimeoutMs: true,
  idleTimeoutMs: true,
  retry: true,
  signal: true,
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DEFAULT_IDLE_TIMEOUT_MS = 60_000;
const MOST_RETRIES = 100;

function misuse(message: string, hint: string): AisecError {
  return new AisecError('USER_SCOPE', message, { hint });
}

function checkRole(role: string): string {
  // `none` would be the login role itself, whatever it may see.
  if (/^[a-z_][a-z0-9_$]*$/i.test(role) && role.toLowerCase() !== 'none') return role;
  throw misuse(
    `withUser: "${role}" cannot be used as a role`,
    'It is the name of a role that policies are written for.',
  );
}

function checkTimeout(name: string, value: number): string {
  if (Number.isSafeInteger(value) && value >= 0 && value < 2 ** 31) return String(value);
  throw misuse(`withUser: ${name} is ${value}`, 'It is a whole number of milliseconds; 0 is no limit.');
}

function checkRetry(retry: number): number {
  if (Number.isSafeInteger(retry) && retry >= 0 && retry <= MOST_RETRIES) return retry;
  throw misuse(`withUser: retry is ${String(retry)}`, `It is a whole number from 0 to ${MOST_RETRIES}.`);
}

function checkSignal(signal: unknown): void {
  const { aborted, addEventListener } = (signal ?? {}) as { aborted?: unknown; addEventListener?: unknown };
  if (signal === undefined || (typeof aborted === 'boolean' && typeof addEventListener === 'function')) return;
  throw misuse(
    'withUser: signal is not an AbortSignal',
    'Give controller.signal, request.signal or AbortSignal.timeout(ms).',
  );
}

function checkPosition(position: string): bigint {
  if (/^[0-9a-f]{1,8}\/[0-9a-f]{1,8}$/i.test(position)) return parseLsn(position);
  throw misuse('withUser: notBefore is not a position of the log', 'Give what writePosition returned.');
}

/** Refuses a query that was built and returned, but never run. */
function checkResult<Result>(name: string, result: Result): Result {
  const { toOperationNode, execute } = (result ?? {}) as { toOperationNode?: unknown; execute?: unknown };
  if (typeof toOperationNode !== 'function' || typeof execute !== 'function') return result;
  throw misuse(`${name}: the callback returned a query that was not run`, 'Call execute() on it, and await that.');
}

/**
 * Runs a callback and refuses what only types would catch.
 *
 * @throws AisecError USER_SCOPE.
 */
export async function runCallback<Scope, Result>(
  name: string,
  run: (scope: Scope) => Promise<Result>,
  scope: Scope,
): Promise<Result> {
  const returned: unknown = run(scope);
  const { then } = (checkResult(name, returned) ?? {}) as { then?: unknown };
  if (typeof then === 'function') return checkResult(name, await (returned as Promise<Result>));
  throw misuse(
    `${name}: the callback did not return a promise`,
    'Make it async and await its queries: what is not awaited would run when the transaction has ended.',
  );
}

/** Leaves the callback alone once the signal is aborted: it may wait for something that is no query. */
async function untilAborted<Result>(signal: AbortSignal | undefined, work: Promise<Result>): Promise<Result> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(signal.reason as Error));
    work.finally(forget).then(resolve, reject);
  });
}

/** @throws AisecError USER_SCOPE for anything that cannot keep users apart. */
function checkCall(db: { readonly isTransaction: boolean }, userId: string, run: unknown, options: unknown): void {
  checkDatabase('withUser', db, 'USER_SCOPE');
  checkOptions('withUser', options, OPTIONS, 'USER_SCOPE');
  if (typeof userId !== 'string' || !UUID.test(userId)) {
    throw misuse('withUser: the user id is not a UUID', 'Give the id of the row in users.');
  }
  if (typeof run !== 'function') {
    throw misuse('withUser: the third argument is not a function', 'Give a function that takes the transaction.');
  }
  if (db.isTransaction) {
    throw misuse(
      'withUser was called on a transaction',
      'Call it on the database: it begins a transaction of its own.',
    );
  }
}

/**
 * Runs the callback in one transaction as one user: row-level security lets through that user's rows and nothing else.
 * Role and user are set by the message that begins the transaction, so it costs no round trip more than a plain
 * one; they end with it, and with them whatever the callback left in the session (temporary tables, settings, locks ...),
 * which holds behind a pooler in transaction mode, too. It is isolation against mistakes, not against SQL that the
 * callback takes from strangers.
 *
 * Keep it short: a connection is held until the callback is done. Call a model before or after it, not inside.
 *
 * @param userId the uuid of users.id.
 * @throws AisecError USER_SCOPE for an id that is not a UUID, a scope in a scope, the outer database used inside of the
 *   callback, a COMMIT in it, a query that it returned without running it, or no promise at all; ROLLED_BACK when the
 *   callback swallowed the error of a statement. Errors of statements come as node-postgres throws them; 42501 when the
 *   login role may not take the role. ConnectionLostError, with the SQLSTATE in its `code`, when the connection ended
 *   meanwhile. The reason of the signal when that is aborted.
 * @example
 * const titles = await withUser(db, userId, (trx) => trx.selectFrom('conversations').select('title').execute());
 */
export async function withUser<DB, Result>(
  db: Kysely<DB>,
  userId: string,
  run: (trx: Transaction<DB>) => Promise<Result>,
  options: UserOptions = {},
): Promise<Result> {
  checkCall(db, userId, run, options);
  const { isolationLevel, isReadOnly, statementTimeoutMs, signal } = options;
  checkSignal(signal);
  const retry = checkRetry(options.retry ?? 0);
  const settings = {
    idle_in_transaction_session_timeout: checkTimeout(
      'idleTimeoutMs',
      options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    ),
    ...(statementTimeoutMs !== undefined && {
      statement_timeout: checkTimeout('statementTimeoutMs', statementTimeoutMs),
    }),
  };
  const parts = {
    userId,
    role: checkRole(options.role ?? 'authenticated'),
    settings,
    isReadOnly: isReadOnly === true,
    notBefore: options.notBefore === undefined ? 0n : checkPosition(options.notBefore),
    signal,
  };
  signal?.throwIfAborted();
  // A standby knows no SERIALIZABLE.
  const mayUseReplica = isReadOnly === true && options.needsPrimary !== true && isolationLevel !== 'serializable';
  const driver = findDriver(db);
  const attempt = (failures = 0): Promise<Result> =>
    inUserScope({ ...parts, mayUseReplica: mayUseReplica && failures === 0 }, async () => {
      let transaction = db.transaction();
      if (isolationLevel !== undefined) transaction = transaction.setIsolationLevel(isolationLevel);
      if (isReadOnly !== undefined) transaction = transaction.setAccessMode(isReadOnly ? 'read only' : 'read write');
      return transaction.execute(async (trx) => {
        if (currentScope()?.isSet !== true) {
          throw misuse('withUser: the database was not made by createDatabase', 'Another pool does not set the user.');
        }
        return untilAborted(signal, runCallback('withUser', run, trx));
      });
    });
  const work = (): Promise<Result> =>
    retry === 0 ? attempt() : withRetry({ times: retry, isReadOnly: isReadOnly === true, signal }, attempt);
  return driver?.observer === undefined ? work() : driver.observer.scope(work);
}
