import type { IsolationLevel, Kysely, Transaction } from 'kysely';

import { currentScope, inUserScope } from '../adapters/postgres/pool/user-scope.js';
import { AisecError } from '../base/errors.js';

export interface UserOptions {
  /** Default: `authenticated`. */
  readonly role?: string;
  readonly isolationLevel?: IsolationLevel;
  /** Refuses writes (25006). */
  readonly isReadOnly?: boolean;
  /** Longest time for one statement; 57014 after it. Default: as the server has it. */
  readonly statementTimeoutMs?: number;
  /** Longest pause between two statements, after which the server ends the session (25P03). Default: 60 s. */
  readonly idleTimeoutMs?: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DEFAULT_IDLE_TIMEOUT_MS = 60_000;

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

/**
 * Runs the callback in one transaction as one user: row level security lets through that user's rows and nothing else.
 * Role and user are set by the message that begins the transaction, so it costs no round trip more than a plain
 * one; they end with it, which holds behind a pooler in transaction mode, too. It is isolation against mistakes, not
 * against SQL that the callback takes from strangers.
 *
 * Keep it short: a connection is held until the callback is done. Call a model before or after it, not inside.
 *
 * @param userId the uuid of users.id.
 * @throws AisecError USER_SCOPE for an id that is no uuid, a scope in a scope, the outer database used inside of the
 *   callback, or a COMMIT in it; ROLLED_BACK when the callback swallowed the error of a statement. Errors of
 *   statements come as node-postgres throws them; 42501 when the login role may not take the role.
 * @example
 * const titles = await withUser(db, userId, (trx) => trx.selectFrom('conversations').select('title').execute());
 */
export async function withUser<DB, Result>(
  db: Kysely<DB>,
  userId: string,
  run: (trx: Transaction<DB>) => Promise<Result>,
  options: UserOptions = {},
): Promise<Result> {
  if (typeof userId !== 'string' || !UUID.test(userId)) {
    throw misuse('withUser: the user id is no uuid', 'Give the id of the row in users.');
  }
  if (db.isTransaction) {
    throw misuse(
      'withUser was called on a transaction',
      'Call it on the database: it begins a transaction of its own.',
    );
  }
  const { isolationLevel, isReadOnly, statementTimeoutMs } = options;
  const settings = {
    idle_in_transaction_session_timeout: checkTimeout(
      'idleTimeoutMs',
      options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    ),
    ...(statementTimeoutMs !== undefined && {
      statement_timeout: checkTimeout('statementTimeoutMs', statementTimeoutMs),
    }),
  };
  const parts = { userId, role: checkRole(options.role ?? 'authenticated'), settings };
  return inUserScope(parts, async () => {
    let transaction = db.transaction();
    if (isolationLevel !== undefined) transaction = transaction.setIsolationLevel(isolationLevel);
    if (isReadOnly !== undefined) transaction = transaction.setAccessMode(isReadOnly ? 'read only' : 'read write');
    return transaction.execute(async (trx) => {
      if (currentScope()?.isSet !== true) {
        throw misuse('withUser: the database was not made by createDatabase', 'Another pool does not set the user.');
      }
      return run(trx);
    });
  });
}
