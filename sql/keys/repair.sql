-- Inserts the keys that messages lack, and corrects those that differ.
-- Parameters: $1 ids of messages (uuid[])
-- Columns:    inserted, corrected
-- Needs:      the owner of the schema
-- FOR SHARE: a message that is deleted or moved waits, and then finds its key.
with live as materialized (
  select id, created_at, parent_id
  from messages
  where id = any ($1::uuid[])
  order by id
  for share
),
archived as materialized (
  select id, created_at, parent_id
  from messages_archive
  where id = any ($1::uuid[])
  order by id
  for share
),
found as (
  select id, created_at, parent_id
  from live
  union all
  select id, created_at, parent_id
  from archived
),
single as (
  select *
  from found
  where id not in (
    select id
    from found
    group by id
    having pg_catalog.count(*) > 1
  )
),
inserted as (
  insert into message_keys (id, created_at, parent_id)
  select id, created_at, parent_id
  from single
  on conflict (id) do nothing
  returning id
),
corrected as (
  update message_keys as keys
  set created_at = single.created_at,
      parent_id = single.parent_id
  from single
  where keys.id = single.id
    and (keys.created_at, keys.parent_id) is distinct from (single.created_at, single.parent_id)
  returning keys.id
)
select
  (select pg_catalog.count(*)::float8 from inserted) as inserted,
  (select pg_catalog.count(*)::float8 from corrected) as corrected
