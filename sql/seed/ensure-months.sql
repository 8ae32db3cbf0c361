-- Makes the months of messages from one on, and returns what keeps rows from their month.
-- Parameters: $1 date: a day of the first month
-- Columns:    partition_name (text); problem (text): why there is no such month, null when there is; is_archived
--             (boolean): the month is in messages_archive, so its new rows go to the default partition of messages
-- Needs:      EXECUTE on ensure_message_partitions, found through search_path (the owner of messages)
select
  e.partition_name,
  e.problem,
  -- What the function has just made is not in this statement's snapshot yet.
  e.problem is null
  and not e.created
  and not exists (
    select
    from pg_catalog.pg_inherits i
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'messages'::regclass
      and c.relname = e.partition_name
  ) as is_archived
from ensure_message_partitions(from_month => $1::date) e
