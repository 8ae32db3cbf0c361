// None of these compiles; the test of the examples compiles this file and fails when one does.
import { createDatabase, searchKnowledge, verifyPassword, withUser } from 'aisec';
import { newMessage } from 'aisec/zod';

const db = createDatabase();

export async function wrongUses(userId: string): Promise<void> {
  // @ts-expect-error no such table
  await withUser(db, userId, (trx) => trx.selectFrom('message').selectAll().execute());
  // @ts-expect-error no such column
  await withUser(db, userId, (trx) => trx.selectFrom('messages').select('text').execute());
  // @ts-expect-error the id of a user is a text
  await withUser(db, 7, (trx) => trx.selectFrom('messages').selectAll().execute());
  // @ts-expect-error a query that is not returned would not be waited for
  await withUser(db, userId, (trx) => trx.selectFrom('messages').selectAll());
  // @ts-expect-error role is one of four
  await withUser(db, userId, (trx) => trx.updateTable('messages').set({ role: 'robot' }).execute());
  // @ts-expect-error a view cannot be written
  await withUser(db, userId, (trx) => trx.insertInto('active_assistants').values({ name: 'x' }).execute());
  // @ts-expect-error there is no such option
  await withUser(db, userId, (trx) => trx.selectFrom('messages').selectAll().execute(), { readonly: true });
  // @ts-expect-error an embedding is an array of numbers
  await searchKnowledge(db, { embedding: 'a question' });
  // @ts-expect-error accuracy is exact or numbers
  await searchKnowledge(db, { embedding: [1], accuracy: 'high' });
  // @ts-expect-error the hash comes last, and the password is not optional
  await verifyPassword(db);
  // @ts-expect-error created_at is a Date
  const times: string[] = await withUser(db, userId, async (trx) =>
    (await trx.selectFrom('messages').select('created_at').execute()).map((row) => row.created_at),
  );
  // @ts-expect-error a validator gives no other columns
  newMessage.parse({}).text;
  void times;
}
