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
  await client.query(`insert into users (id, username, email, password_hash)
    values ('10000000-0000-4000-8000-000000000000', 'bench', 'bench@example.com', 'hash') on conflict do nothing;
    insert into conversations (id, user_id)
    select ('10000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, '10000000-0000-4000-8000-000000000000'
    from generate_series(0, ${CONVERSATIONS - 1}) as n
    on conflict do nothing`);
  await client.query('begin');
  await client.query('set local session_replication_role = replica');
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
     insert into message_keys select id, created_at from written`,
    [from, rows, over],
  );
  await client.query('commit');
  await client.query('vacuum (analyze) messages');
  await client.query('vacuum (analyze) message_keys');
  await client.query('checkpoint');
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
