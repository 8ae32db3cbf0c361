-- One message by its id, wherever it is.
--
-- A condition on id alone reads the index of every partition of messages and messages_archive. message_keys tells
-- created_at, and with both one partition is left, and messages_default for an archived message: late ones wait there.

-- Up Migration

-- plpgsql and a plan of its own for every call: the planner then sees the time itself, removes the other partitions, and
-- neither opens nor locks them. A plan for any time locks them all before it removes them
-- (https://www.postgresql.org/docs/16/ddl-partitioning.html#DDL-PARTITION-PRUNING), which waits for whoever is
-- changing one of them.
create function find_message(message_id uuid)
  returns setof all_messages
  language plpgsql
  stable
  rows 1
  set search_path from current
  set plan_cache_mode to force_custom_plan
as $$
declare
  sent_at timestamptz;
begin
  select k.created_at
  into sent_at
  from message_keys k
  where k.id = message_id;
  if not found then
    return;
  end if;
  return query
  select *
  from all_messages m
  where m.id = message_id
    and m.created_at = sent_at;
end
$$;

comment on function find_message(uuid) is
  'The message with this id, live or archived, read from the partition of its month; no row when there is none. '
  'Needs to read message_keys and all_messages.';

revoke execute on function find_message(uuid) from public;

-- Down Migration

drop function find_message(uuid);
