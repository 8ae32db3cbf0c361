import { sql, type Transaction } from 'kysely';

import { runCallback } from './with-user.js';

let count = 0;

/**
 * Runs the callback behind a savepoint of the transaction: when it fails, what it did is undone, the error is thrown, and
 * the transaction can continue. Statements of one transaction run one after the other, so await it before the next one.
 *
 * @example
 * await withUser(db, userId, async (trx) => {
 *   await withSavepoint(trx, (inner) => inner.insertInto('files').values(file).execute()).catch(noteDuplicate);
 *   await trx.updateTable('conversations').set({ title }).execute();
 * });
 */
export async function withSavepoint<DB, Result>(
  trx: Transaction<DB>,
  run: (trx: Transaction<DB>) => Promise<Result>,
): Promise<Result> {
  count += 1;
  const name = sql.id(`aisec_${count}`);
  await sql`savepoint ${name}`.execute(trx);
  let result: Result;
  try {
    result = await runCallback('withSavepoint', run, trx);
  } catch (error) {
    // On a connection that is lost neither matters: the first error is the one to report.
    await sql`rollback to savepoint ${name}`.execute(trx).catch(() => undefined);
    await sql`release savepoint ${name}`.execute(trx).catch(() => undefined);
    throw error;
  }
  await sql`release savepoint ${name}`.execute(trx);
  return result;
}
