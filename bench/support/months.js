/**
 * Fills a month of messages with rows of the size of chat messages (about 390 bytes in the table), in SQL. Needs a
 * superuser: the row triggers are off, and the keys are written at once, since loading is not what is measured.
 *
 * @param {import('pg').Client} client
 * @param {string} from first moment, as PostgreSQL reads it
 * @param {number} rows spread evenly
 * @param {string} [over] an interval
 */
export async function fillMonth(client, from, rows, over = '27 days') {
  await makeConversations(client);
  await client.query('begin');
  await client.query("set local session_replication_role = replica; set local aisec.moving_messages = 'on'");
  await client.query(
    `with written as (
       insert into messages (conversation_id, role, content, content_type, metadata, created_at)
       select ('10000000-0000-4000-8000-' || lpad((n % ${CONVERSATIONS})::text, 12, '0'))::uuid,
              case n % 2 when 0 then 'user' else 'assistant' end,
              left(repeat(md5(n::text) || ' ', 20), 40 + (n * 7919 % 400)::int),
              'text',
              jsonb_build_object('tokens', n % 900),
              $1::timestamptz + (n::float8 / $2::float8) * $3::interval
       from generate_series(0, $2::bigint - 1) as n
       returning id, created_at
     )
     insert into message_keys (id, created_at) select id, created_at from written`,
    [from, rows, over],
  );
  await client.query('commit');
  await client.query('vacuum (analyze) messages');
  await client.query('vacuum (analyze) message_keys');
  await client.query('checkpoint');
}

/** @param {import('pg').Client} client */
async function makeConversations(client) {
  await client.query(`insert into users (id, username, email, password_hash)
    values ('10000000-0000-4000-8000-000000000000', 'bench', 'bench@example.com', 'hash') on conflict do nothing;
    insert into conversations (id, user_id)
    select ('10000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, '10000000-0000-4000-8000-000000000000'
    from generate_series(0, ${CONVERSATIONS - 1}) as n
    on conflict do nothing`);
}

export const CONVERSATIONS = 5000;

/** A conversation that fillMonth has made. @param {number} number */
export function conversationId(number) {
  return `10000000-0000-4000-8000-${String(number % CONVERSATIONS).padStart(12, '0')}`;
}

/** First moment of a UTC month so many months before the current one. @param {number} months */
export function monthStart(months) {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1));
}

/** YYYY-MM. @param {number} months before the current one */
export function monthName(months) {
  return monthStart(months).toISOString().slice(0, 7);
}

/**
 * Fills a month of one of the two tables; faster than fillMonth, and without a vacuum.
 *
 * @param {import('pg').Client} client @param {'messages' | 'messages_archive'} root @param {Date} from @param {number} rows
 */
export async function fillEvenly(client, root, from, rows) {
  await makeConversations(client);
  await client.query("begin; set local session_replication_role = replica; set local aisec.moving_messages = 'on'");
  await client.query(
    `with written as (
       insert into ${root} (conversation_id, role, content, content_type, metadata, created_at)
       select ('10000000-0000-4000-8000-' || lpad((n % ${CONVERSATIONS})::text, 12, '0'))::uuid,
              case n % 2 when 0 then 'user' else 'assistant' end, repeat(md5(n::text), 1 + (n % 5)::int), 'text', '{}',
              $1::timestamptz + (n::float8 / $2::float8) * interval '27 days'
       from generate_series(0, $2::bigint - 1) as n
       returning id, created_at
     )
     insert into message_keys (id, created_at) select id, created_at from written`,
    [from.toISOString(), rows],
  );
  await client.query('commit');
}

/**
 * A user with one conversation, spread evenly over some months.
 *
 * @param {import('pg').Client} client @param {string} title @param {number} rows @param {number} newest months before
 * the current one @param {number} months
 */
export async function makeConversation(client, title, rows, newest, months) {
  if (months === 0) return;
  const root = newest === 0 ? 'messages' : 'messages_archive';
  await client.query(`with u as (insert into users (username, email, password_hash)
      values ('${title}', '${title}@example.com', 'hash') returning id)
    insert into conversations (user_id, title) select id, '${title}' from u`);
  await client.query(
    `insert into ${root} (conversation_id, role, content, created_at)
     select c.id, 'user', 'text ' || n, date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'
       - make_interval(months => $1 + (n % $2)::int) + interval '1 day' + n * interval '1 second'
     from generate_series(1, $3::int) n, conversations c where c.title = '${title}'`,
    [newest, months, rows],
  );
}

/** Every second message of those conversations answers the one before. @param {import('pg').Client} client */
export async function makeReplies(client) {
  for (const root of ['messages', 'messages_archive'])
    await client.query(
      `update ${root} m set parent_id = p.id
       from (
         select r.id, r.created_at, lag(r.id) over (partition by r.conversation_id order by r.created_at) as parent,
                row_number() over (partition by r.conversation_id order by r.created_at) as position
         from ${root} r join conversations c on c.id = r.conversation_id where c.title is not null
       ) s join message_keys p on p.id = s.parent
       where m.id = s.id and m.created_at = s.created_at and s.position % 2 = 0`,
    );
}
