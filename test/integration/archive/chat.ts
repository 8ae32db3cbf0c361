import { createServerDatabase, type ServerDatabase } from '../../support/database.js';

/** The month that lies some months before the current one, in UTC: `2026-05`. */
export function monthAgo(months: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1)).toISOString().slice(0, 7);
}

/** The age, `172d`, of a moment of the 20th day of a month: on no day of the year the beginning or the end of one. */
export function ageOfTwentieth(month: string): string {
  return `${Math.floor((Date.now() - Date.parse(`${month}-20T00:00:00Z`)) / 86_400_000)}d`;
}

export const archivedName = (month: string): string => `messages_archive_y${month.replace('-', 'm')}`;
export const liveName = (month: string): string => `messages_y${month.replace('-', 'm')}`;

/** A user with some conversations. */
export const CONVERSATIONS = `
    insert into users (id, username, email, password_hash)
    values ('00000000-0000-4000-8000-000000000001', 'u', 'u@example.com', 'x');
    insert into conversations (id, user_id)
    select ('10000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, '00000000-0000-4000-8000-000000000001'
    from generate_series(0, 19) n;`;

/** A database with a user and some conversations; nothing said yet. */
export async function createChat(): Promise<ServerDatabase> {
  const database = await createServerDatabase({ migrated: true });
  await database.admin.query(CONVERSATIONS);
  return database;
}

/** Makes a month and fills it evenly; every tenth message answers the one before, and has a file. */
export async function fillMonth({ admin }: Pick<ServerDatabase, 'admin'>, month: string, rows: number): Promise<void> {
  await admin.query('select aisec_make_message_partitions(array[$1::date])', [`${month}-01`]);
  await admin.query(
    `with made as (
       insert into messages (id, conversation_id, role, content, metadata, created_at)
       select gen_random_uuid(), ('10000000-0000-4000-8000-' || lpad((n % 20)::text, 12, '0'))::uuid,
         (array['user', 'assistant'])[1 + n % 2], case n % 3 when 0 then null when 1 then '' else 'Grüße, "' || n || E'"\\n日本' end,
         jsonb_build_object('n', n, 'big', 12345678901234567890.10),
         $1::date::timestamp at time zone 'UTC'
           + n * ((($1::date + interval '1 month')::timestamp at time zone 'UTC' - $1::date::timestamp at time zone 'UTC') / $2)
       from generate_series(0, $2::int - 1) n
       returning id, created_at
     )
     insert into files (user_id, message_id, file_name)
     select '00000000-0000-4000-8000-000000000001', id, 'file of ' || id from made order by created_at limit $2 / 10`,
    [`${month}-01`, rows],
  );
  await admin.query(
    `insert into messages (conversation_id, role, content, parent_id)
     select conversation_id, 'assistant', 'reply', id
     from messages where created_at >= $1::date::timestamp at time zone 'UTC' order by created_at limit $2 / 10`,
    [`${month}-01`, rows],
  );
}

/** What no archiving may change: the messages of both tables, their keys, what refers to them. */
export async function fingerprint({ admin }: Pick<ServerDatabase, 'admin'>): Promise<unknown> {
  const { rows } = await admin.query(`
    select count(*)::int as messages, count(distinct id)::int as ids,
      md5(string_agg(md5((id, conversation_id, role, content, parent_id, metadata, created_at)::text), '' order by id)) as content,
      (select count(*)::int from message_keys) as keys,
      (select count(*)::int from message_keys k join all_messages a using (id, created_at)) as good_keys,
      (select count(message_id)::int from files) as files,
      count(parent_id)::int as replies
    from all_messages`);
  return rows[0];
}

export async function partitionsOf({ admin }: ServerDatabase, root: string): Promise<readonly string[]> {
  const { rows } = await admin.query(
    'select partition::text as name from aisec_message_partition_bounds() where parent = $1::regclass and not is_default order by lower_bound',
    [root],
  );
  return rows.map((row: { name: string }) => row.name);
}
