-- What prevents the import of the messages in a staging table?
-- Parameters: $1 first instant of the month (timestamptz), $2 of the next one (timestamptz)
-- Columns:    rows, outside_month, doubled_ids, existing_ids, missing_conversations, missing_parents (counts);
--             some_existing, some_conversations, some_parents (text[]: the first five ids)
-- Needs:      the owner of the schema; the table aisec_import of this transaction
with existing as (
  select staged.id
  from aisec_import as staged
  join message_keys as known on known.id = staged.id
),
conversations_missing as (
  select staged.id
  from aisec_import as staged
  where not exists (select from conversations as found where found.id = staged.conversation_id)
),
parents_missing as (
  select staged.id
  from aisec_import as staged
  where staged.parent_id is not null
    and not exists (select from message_keys as found where found.id = staged.parent_id)
    and not exists (select from aisec_import as found where found.id = staged.parent_id)
)
select
  (select count(*)::float8 from aisec_import) as rows,
  (
    select count(*)::float8
    from aisec_import
    where created_at < $1::timestamptz
      or created_at >= $2::timestamptz
      or created_at is null
  ) as outside_month,
  (select count(*)::float8 - count(distinct id)::float8 from aisec_import) as doubled_ids,
  (select count(*)::float8 from existing) as existing_ids,
  (select count(*)::float8 from conversations_missing) as missing_conversations,
  (select count(*)::float8 from parents_missing) as missing_parents,
  array(select id::text from existing order by id limit 5) as some_existing,
  array(select id::text from conversations_missing order by id limit 5) as some_conversations,
  array(select id::text from parents_missing order by id limit 5) as some_parents
