// Compiled by `npm run types`, never run: each wrong use below must be refused, or the compiler reports an unused
// directive.
import type { Kysely, Selectable } from 'kysely';

import type {
  ConversationStats,
  DB,
  Message,
  NewKnowledge,
  NewMessage,
  NewUser,
  UserUpdate,
} from '../../src/schema/index.js';
import { knowledgeUpdate, newKnowledge, newMessage, newUser, userUpdate } from '../../src/zod/index.js';

declare module '../../src/schema/index.js' {
  interface MessageMetadata {
    model?: string;
  }
}

type Equal<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
const isTrue = <_Claim extends true>(): void => undefined;

isTrue<Equal<Message['role'], 'user' | 'assistant' | 'system' | 'tool'>>();
isTrue<Equal<Message['created_at'], Date>>();
isTrue<Equal<ConversationStats['id'], string>>();
isTrue<Equal<ConversationStats['message_count'], string>>();
isTrue<Equal<ConversationStats['assistant_name'], string | null>>();
isTrue<Equal<Selectable<DB['knowledge_base']>['embedding'], number[] | null>>();
isTrue<Equal<Selectable<DB['api_usage']>['cost'], string | null>>();
isTrue<Equal<NonNullable<Message['metadata']>['model'], string | undefined>>();
// the months are no tables of the types
isTrue<Equal<Extract<keyof DB, 'messages_default' | `messages_y${string}` | `messages_archive_${string}`>, never>>();
// the toolkit's own tables are not there
isTrue<Equal<Extract<keyof DB, 'message_keys' | `aisec_${string}` | `pgmigrations${string}`>, never>>();

export const user: NewUser = { username: 'ada', email: 'ada@example.com', password_hash: 'x' };
export const change: UserUpdate = { first_name: null };
export const knowledge: NewKnowledge = { content: 'x', embedding: '[0.1]' };
// @ts-expect-error email is NOT NULL and has no default
export const withoutEmail: NewUser = { username: 'ada', password_hash: 'x' };
// @ts-expect-error NOT NULL
export const nullEmail: UserUpdate = { email: null };
// @ts-expect-error role is one of four
export const robot: NewMessage = { conversation_id: 'c', role: 'robot' };
// @ts-expect-error the driver would send an array as a PostgreSQL array
export const numbers: NewKnowledge = { content: 'x', embedding: [0.1] };

export async function wrongUses(db: Kysely<DB>): Promise<void> {
  // @ts-expect-error unknown table
  await db.selectFrom('user').selectAll().execute();
  // @ts-expect-error unknown column
  await db.selectFrom('users').select('e_mail').execute();
  // @ts-expect-error a view cannot be written
  await db.insertInto('active_assistants').values({ name: 'x' }).execute();
  // @ts-expect-error a view cannot be written
  await db.updateTable('conversation_stats').set({ title: 'x' }).execute();
  await db
    .insertInto('messages')
    // @ts-expect-error a value that the CHECK refuses
    .values({ conversation_id: 'c', role: 'robot' })
    .execute();
  await db
    .insertInto('system_settings')
    // @ts-expect-error jsonb of any kind is written as JSON text
    .values({ key: 'k', value: ['a'] })
    .execute();
  await db
    .insertInto('voices')
    .values({ name: 'v', settings: { speed: 1 } })
    .execute();
  await db.updateTable('messages').set({ role: 'tool' }).where('id', '=', 'x').execute();
}

// What a validator gives back goes into the query: undefined counts as left out there, whatever exactOptionalPropertyTypes says.
type Given<Row> = { [Key in keyof Row]: object extends Pick<Row, Key> ? Row[Key] | undefined : Row[Key] };
export const checkedUser: Given<NewUser> = newUser.parse({});
export const checkedChange: Given<UserUpdate> = userUpdate.parse({});
export const checkedMessage: Given<NewMessage> = newMessage.parse({});
export const checkedKnowledge: Given<NewKnowledge> = newKnowledge.parse({});
// @ts-expect-error an update may leave out what an insert needs
export const notAnInsert: Given<NewKnowledge> = knowledgeUpdate.parse({});
