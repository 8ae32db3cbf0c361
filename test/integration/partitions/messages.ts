import type { ServerDatabase } from '../../support/database.js';

const CONVERSATION = '10000000-0000-4000-8000-000000000001';

/** A user with a conversation; messages need one. */
export const ONE_CONVERSATION = `
  insert into users (id, username, email, password_hash) values ('${CONVERSATION}', 'u', 'u@example.com', 'hash');
  insert into conversations (id, user_id) values ('${CONVERSATION}', '${CONVERSATION}');`;

/** So many messages of the conversation, a minute apart from a time on. */
export function messagesFrom(time: string, count: number): string {
  return `
    insert into messages (conversation_id, role, content, created_at)
    select '${CONVERSATION}', 'user', 'text ' || g, '${time}'::timestamptz + g * interval '1 minute'
    from generate_series(0, ${count - 1}) as g;`;
}

export interface Row {
  readonly [column: string]: unknown;
}

export async function rowsOf(database: ServerDatabase, sql: string): Promise<readonly Row[]> {
  return (await database.admin.query(sql)).rows as readonly Row[];
}

/** The months that messages has a partition for, as the server prints their bounds in UTC. */
export async function boundsOf(database: ServerDatabase): Promise<readonly string[]> {
  await database.admin.query("set timezone to 'UTC'; set datestyle to 'ISO'");
  const rows = await rowsOf(
    database,
    `select relname || ' ' || pg_get_expr(relpartbound, oid) as bound
     from pg_class where relispartition and relkind = 'r' and relname like 'messages\\_%' order by 1`,
  );
  return rows.map((row) => String(row['bound']));
}

/** A month so many months from the current one in UTC, as YYYY-MM. */
export function monthFromNow(offset: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1)).toISOString().slice(0, 7);
}

export const nameOf = (month: string): string => `messages_y${month.replace('-', 'm')}`;
