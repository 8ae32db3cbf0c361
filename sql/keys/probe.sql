-- Do some messages of a range of time have their keys, and some keys of that range their messages?
-- Parameters: $1 first time (timestamptz), $2 first time after the range (timestamptz), $3 share of the pages of messages to
--             read and $4 of messages_archive (real, percent), $5 ids of keys (uuid[])
-- Columns:    source (text: messages, messages_archive or message_keys), sampled (double precision: messages or keys that
--             were compared), wrong (double precision: messages without an equal key, keys without their message),
--             example (text: the id of one of these; null when there is none)
-- Needs:      to read message_keys, messages and messages_archive, past row-level security
-- One statement, so one MVCC snapshot: a message that is written, moved or deleted meanwhile is no difference. LIMIT keeps each
-- look-up apart, by its index, whatever the statistics say. The range is given to each: the planner then locks and reads the
-- partition of that range and no other.
with compared as (
  select
    'messages' as source,
    message.id,
    key.is_found
  from messages as message tablesample system ($3::real)
  left join lateral (
    select true as is_found
    from message_keys
    where message_keys.id = message.id
      and message_keys.created_at = message.created_at
      and message_keys.parent_id is not distinct from message.parent_id
    limit 1
  ) as key on true
  where message.created_at >= $1::timestamptz
    and message.created_at < $2::timestamptz
  union all
  select
    'messages_archive',
    message.id,
    key.is_found
  from messages_archive as message tablesample system ($4::real)
  left join lateral (
    select true as is_found
    from message_keys
    where message_keys.id = message.id
      and message_keys.created_at = message.created_at
      and message_keys.parent_id is not distinct from message.parent_id
    limit 1
  ) as key on true
  where message.created_at >= $1::timestamptz
    and message.created_at < $2::timestamptz
  union all
  select
    'message_keys',
    key.id,
    coalesce(live.is_found, archived.is_found)
  from message_keys as key
  left join lateral (
    select true as is_found
    from messages
    where messages.id = key.id
      and messages.created_at = key.created_at
      and messages.created_at >= $1::timestamptz
      and messages.created_at < $2::timestamptz
    limit 1
  ) as live on true
  left join lateral (
    select true as is_found
    from messages_archive
    where messages_archive.id = key.id
      and messages_archive.created_at = key.created_at
      and messages_archive.created_at >= $1::timestamptz
      and messages_archive.created_at < $2::timestamptz
    limit 1
  ) as archived on true
  where key.id = any ($5::uuid[])
    and key.created_at >= $1::timestamptz
    and key.created_at < $2::timestamptz
)
select
  source,
  pg_catalog.count(*)::float8 as sampled,
  (pg_catalog.count(*) filter (where is_found is null))::float8 as wrong,
  pg_catalog.min(id::text) filter (where is_found is null) as example
from compared
group by source
