-- One row for every message that exists, live or archived, so that others can refer to a message by its id alone.
--
-- messages is partitioned by time, so no unique constraint of its own can cover id without created_at, and a foreign
-- key that points at a partition would forbid its archiving
-- (https://www.postgresql.org/docs/16/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-LIMITATIONS).
-- Triggers on messages, messages_archive and each of their partitions keep this table. Applications never see it.
--
-- parent_id is here so that the replies to a message are found by one index, whatever the number of months.

-- Up Migration

create table message_keys (
  id         uuid                     primary key,
  created_at timestamp with time zone not null,
  parent_id  uuid
);

create index idx_message_keys_parent_id on message_keys (parent_id) where parent_id is not null;

comment on table message_keys is
  'Keys of messages: one row for every message in messages or messages_archive, kept by their triggers. '
  'The target of messages.parent_id and files.message_id.';
comment on column message_keys.id is 'Id of the message, unique over messages and messages_archive.';
comment on column message_keys.created_at is 'created_at of the message: says which partition holds it.';
comment on column message_keys.parent_id is 'parent_id of the message: finds the replies to a message in any month.';

alter table message_keys enable row level security;

do $$
begin
  perform aisec_revoke_all('message_keys');
end
$$;

-- The triggers run as the owner, since role authenticated has no privileges on message_keys. The argument of the
-- first is the root table, since tg_table_name is the partition.
--
-- enable_seqscan is off in all functions that look keys or messages up: a session keeps their plans, and one made while a
-- partition was empty reads the whole partition for every row later (5000 rows moved: 6 s instead of 1).

-- Apart from the trigger, so that an ordinary insert does not pay for its settings.
create function aisec_register_known_message_key(
  root text,
  message_schema text,
  message_id uuid,
  sent_at timestamptz,
  reply_to uuid
)
  returns void
  language plpgsql
  volatile
  set search_path from current
  set enable_seqscan to off
as $$
declare
  registered_at timestamptz;
  found_in text;
begin
  -- An update, not a mere row lock: it makes a second mover wait under READ COMMITTED and fail under REPEATABLE READ.
  -- Replies and files only need the key's FOR KEY SHARE lock and do not wait.
  loop
    update message_keys
       set created_at = created_at
     where id = message_id
    returning created_at into registered_at;
    exit when found;
    -- It was deleted in the meantime.
    insert into message_keys (id, created_at, parent_id)
    values (message_id, sent_at, reply_to)
    on conflict (id) do nothing;
    if found then
      return;
    end if;
  end loop;

  -- Rows the same statement has deleted before this one are already deleted for a volatile function
  -- (https://www.postgresql.org/docs/16/trigger-datachanges.html).
  found_in := case
    when exists (select from messages m where m.id = message_id and m.created_at = registered_at)
      then 'messages'
    when exists (select from messages_archive a where a.id = message_id and a.created_at = registered_at)
      then 'messages_archive'
  end;

  if found_in is null then
    update message_keys
       set created_at = sent_at,
           parent_id = reply_to
     where id = message_id
       and (created_at, parent_id) is distinct from (sent_at, reply_to);
    return;
  end if;

  -- The same key in the same table is left to the primary key, so that ON CONFLICT works.
  if found_in = root and registered_at = sent_at then
    return;
  end if;

  raise exception 'duplicate key value violates unique constraint "%_pkey"', root
    using errcode = 'unique_violation',
          detail = format('Key (id)=(%s) already exists in %s.', message_id, found_in),
          schema = message_schema,
          table = root,
          constraint = root || '_pkey';
end
$$;

create function aisec_register_message_key()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
as $$
begin
  insert into message_keys (id, created_at, parent_id)
  values (new.id, new.created_at, new.parent_id)
  on conflict (id) do nothing;
  -- The id is known: the message is being moved, or this is a duplicate.
  if not found then
    perform aisec_register_known_message_key(tg_argv[0], tg_table_schema, new.id, new.created_at, new.parent_id);
  end if;
  return new;
end
$$;

create function aisec_follow_message_key()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set enable_seqscan to off
as $$
begin
  if new.id <> old.id then
    raise exception 'id of a message cannot be changed'
      using errcode = 'restrict_violation',
            detail = format('Replies and files refer to the message by its id %s.', old.id),
            hint = 'Insert a new message and delete this one.';
  end if;
  update message_keys
     set created_at = new.created_at,
         parent_id = new.parent_id
   where id = new.id;
  return new;
end
$$;

-- AFTER triggers run when the whole statement is done: a message moved by WITH ... DELETE ... INSERT is found in its
-- new place. Only the key of such a message was written by this transaction, so its age shows for which keys the tables
-- have to be searched: a search locks every partition of both tables
-- (https://www.postgresql.org/docs/16/functions-info.html#FUNCTIONS-PG-SNAPSHOT). An update that moves a row to another
-- partition is no DELETE for a statement trigger.
create function aisec_unregister_message_keys()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set enable_seqscan to off
as $$
declare
  -- Arrays and not joins: the plan must not depend on statistics, and a nested loop the wrong way round is quadratic.
  ids constant uuid[] := array(select d.id from deleted_messages d);
  rewritten constant uuid[] := array(select k.id from message_keys k where k.id = any (ids) and age(k.xmin) <= 0);
  kept uuid[] := '{}';
begin
  if rewritten <> '{}' then
    kept := array(
      select m.id
      from message_keys k
      join messages m on m.id = k.id and m.created_at = k.created_at
      where k.id = any (rewritten)
      union
      select a.id
      from message_keys k
      join messages_archive a on a.id = k.id and a.created_at = k.created_at
      where k.id = any (rewritten)
    );
  end if;
  delete from message_keys k
  where k.id = any (ids)
    and k.id <> all (kept);
  return null;
end
$$;

-- The apply worker of a subscription fires row triggers, never statement triggers. It deletes at the end of its transaction:
-- a message that moves to the archive arrives as a DELETE and an INSERT.
create function aisec_unregister_replicated_message_key()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set enable_seqscan to off
  set enable_hashjoin to off
  set enable_mergejoin to off
as $$
begin
  delete from message_keys k
  where k.id = old.id
    and not exists (select from messages m where m.id = k.id and m.created_at = k.created_at)
    and not exists (select from messages_archive a where a.id = k.id and a.created_at = k.created_at);
  return null;
end
$$;

create function aisec_unregister_truncated_message_keys()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
as $$
begin
  delete from message_keys k
   where not exists (select from messages m where m.id = k.id and m.created_at = k.created_at)
     and not exists (select from messages_archive a where a.id = k.id and a.created_at = k.created_at);
  return null;
end
$$;

comment on function aisec_register_known_message_key(text, text, uuid, timestamptz, uuid) is
  'Internal. Second part of aisec_register_message_key, for an id that message_keys has already.';
comment on function aisec_register_message_key() is
  'Trigger: writes the key of a new message and refuses an id that exists in messages or messages_archive (23505).';
comment on function aisec_follow_message_key() is
  'Trigger: keeps created_at and parent_id of message_keys equal to the message''s and refuses another id (23001).';
comment on function aisec_unregister_message_keys() is
  'Trigger: deletes the keys of messages that are deleted, not of those that were moved.';
comment on function aisec_unregister_replicated_message_key() is
  'Trigger: deletes the key of a message that a session with session_replication_role = replica has deleted.';
comment on function aisec_unregister_truncated_message_keys() is
  'Trigger: deletes the keys of all messages that a TRUNCATE deleted.';

-- A role that may execute a trigger function may use it for a table of its own, where these would run as their owner.
do $$
begin
  perform aisec_revoke_execute(
    'aisec_register_known_message_key(text, text, uuid, timestamptz, uuid)',
    'aisec_register_message_key()',
    'aisec_follow_message_key()',
    'aisec_unregister_message_keys()',
    'aisec_unregister_replicated_message_key()',
    'aisec_unregister_truncated_message_keys()'
  );
end
$$;

-- Down Migration

drop table message_keys;
drop function
  aisec_unregister_truncated_message_keys(),
  aisec_unregister_replicated_message_key(),
  aisec_unregister_message_keys(),
  aisec_follow_message_key(),
  aisec_register_message_key(),
  aisec_register_known_message_key(text, text, uuid, timestamptz, uuid);
