import { sql, type RawBuilder } from 'kysely';

import { clientSql } from '../adapters/postgres/client-sql.js';
import { AisecError } from '../base/errors.js';
import type { AnyDatabase } from './any-database.js';

/** Of no password: what a login under an unknown name is compared with, so that it takes as long as any other. Cost 12. */
const HASH_OF_NO_PASSWORD = '$2a$12$uHjZeQ/NHCK8NDH9hJ7xwOA2WXv9iFIhHAwOhoODK8o4UbbdQeHoy';

/** Leaves the password out where Kysely's log, or a printed error, would show the parameters of a query. */
class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** node-postgres asks for the value when it sends it. */
  toPostgres(): string {
    return this.#text;
  }

  toJSON(): string {
    return '(hidden)';
  }
}

async function call<Value>(db: AnyDatabase, password: string, expression: (secret: Secret) => RawBuilder<Value>) {
  if (typeof password !== 'string' || password.includes('\0')) {
    throw new AisecError('USAGE', 'the password must be a string without NUL bytes', {
      hint: 'Give the text that was typed.',
    });
  }
  return db.transaction().execute(async (trx) => {
    await sql.raw(clientSql('hide-parameters')).execute(trx);
    const { rows } = await sql<{ value: Value }>`select ${expression(new Secret(password))} as value`.execute(trx);
    const [row] = rows;
    if (row === undefined) throw new Error('the database function returned nothing');
    return row.value;
  });
}

/**
 * The hash to keep in users.password_hash: bcrypt, cost 12, made by the database function hash_password. Takes about a
 * fifth of a second, so call it before a transaction and not inside of one.
 *
 * @throws AisecError USAGE for what is no text; 22001 from the server for more than 72 bytes; 42501 when the role of the
 *   service may not execute hash_password.
 */
export async function hashPassword(db: AnyDatabase, password: string): Promise<string> {
  return call(db, password, (secret) => sql<string>`hash_password(${secret})`);
}

/**
 * Whether the password belongs to the hash, by the database function verify_password. Without a hash (an unknown user) it
 * takes as long as with one and says no, so that the time of an answer does not show who has an account.
 *
 * @throws AisecError USAGE for what is no text; 42501 when the role of the service may not execute verify_password.
 */
export async function verifyPassword(
  db: AnyDatabase,
  password: string,
  hash: string | null | undefined,
): Promise<boolean> {
  const isRight = await call(
    db,
    password,
    (secret) => sql<boolean>`verify_password(${secret}, ${hash ?? HASH_OF_NO_PASSWORD})`,
  );
  return isRight && typeof hash === 'string';
}
