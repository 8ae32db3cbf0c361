-- Which keys of messages differ from the messages and archived messages of a range of ids?
-- Parameters: $1 first id (uuid), $2 first id after the range (uuid; null: no end)
-- Columns:    kind: missing (a message without a key), orphaned (a key without a message), doubled (an id of several
--             messages), different (created_at or parent_id of the key is not the message's); id; partition (text,
--             quoted; null for an orphaned key)
-- Needs:      to read message_keys, messages and messages_archive, past row-level security
-- One statement, so one MVCC snapshot: what is written meanwhile is no difference.
with found as (
  select
    message.id,
    pg_catalog.count(*) as messages,
    pg_catalog.max(message.created_at) as created_at,
    pg_catalog.max(message.parent_id::text)::uuid as parent_id,
    pg_catalog.max(message.partition) as partition
  from (
    select id, created_at, parent_id, tableoid::regclass::text as partition
    from messages
    where id >= $1::uuid
      and ($2::uuid is null or id < $2::uuid)
    union all
    select id, created_at, parent_id, tableoid::regclass::text
    from messages_archive
    where id >= $1::uuid
      and ($2::uuid is null or id < $2::uuid)
  ) as message
  group by message.id
),
keys as (
  select id, created_at, parent_id
  from message_keys
  where id >= $1::uuid
    and ($2::uuid is null or id < $2::uuid)
)
select
  compared.kind,
  compared.id::text as id,
  compared.partition
from (
  select
    coalesce(found.id, keys.id) as id,
    found.partition,
    case
      when found.messages > 1 then 'doubled'
      when keys.id is null then 'missing'
      when found.id is null then 'orphaned'
      when (keys.created_at, keys.parent_id) is distinct from (found.created_at, found.parent_id) then 'different'
    end as kind
  from found
  full join keys on keys.id = found.id
) as compared
where compared.kind is not null
