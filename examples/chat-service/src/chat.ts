// A service over conversations and messages: every query runs as one user, under row-level security.
import { withUser } from 'aisec';
import type { DB, Message } from 'aisec/schema';
import { newMessage } from 'aisec/zod';
import type { Kysely } from 'kysely';

/** @returns the id of the new conversation. */
export async function startConversation(db: Kysely<DB>, userId: string, title: string): Promise<string> {
  const { id } = await withUser(db, userId, (trx) =>
    trx.insertInto('conversations').values({ user_id: userId, title }).returning('id').executeTakeFirstOrThrow(),
  );
  return id;
}

/**
 * Keeps a message as it came in from outside.
 *
 * @throws ZodError for what is not a message; PostgreSQL's 42501 for a conversation of another user.
 */
export async function addMessage(db: Kysely<DB>, userId: string, input: unknown): Promise<Message> {
  const row = newMessage.parse(input);
  return withUser(db, userId, (trx) => trx.insertInto('messages').values(row).returningAll().executeTakeFirstOrThrow());
}

/** The newest messages of a conversation, oldest first; none of a conversation of another user. */
export async function history(
  db: Kysely<DB>,
  userId: string,
  conversationId: string,
  limit = 20,
): Promise<Pick<Message, 'role' | 'content'>[]> {
  const newest = await withUser(
    db,
    userId,
    (trx) =>
      trx
        .selectFrom('messages')
        .select(['role', 'content'])
        .where('conversation_id', '=', conversationId)
        .orderBy('created_at', 'desc')
        .limit(limit)
        .execute(),
    { isReadOnly: true },
  );
  return newest.reverse();
}
