-- One row for every message that exists, live or archived, so that others can refer to a message by its id alone.
--
-- messages is partitioned by time, so no unique constraint of its own can cover id without created_at, and a foreign
-- key that points at a partition would forbid its archiving
-- (https://www.postgresql.org/docs/16/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-LIMITATIONS).
-- Row triggers on messages and messages_archive keep this table. Applications never see it.

-- Up Migration

create table message_keys (
  id         uuid                     primary key,
  created_at timestamp with time zone not null
);

comment on table message_keys is
  'Keys of messages: one row for every message in messages or messages_archive, kept by their triggers. '
  'The target of messages.parent_id and files.message_id.';
comment on column message_keys.id is 'Id of the message, unique over messages and messages_archive.';
comment on column message_keys.created_at is 'created_at of the message: tells which partition holds it.';

-- The triggers run as the owner, since role authenticated has no rights on message_keys. Row level: a statement trigger
-- on the root misses rows written to a partition directly, and cascades. The argument is the root table, since
-- tg_table_name is the partition.
--
-- enable_seqscan is off in both functions that look a message up: a session keeps their plans, and one made while a
-- partition was empty reads the whole partition for every row later (5000 rows moved: 6 s instead of 1).

create function register_message_key()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set enable_seqscan to off
as $$
declare
  root constant text := tg_argv[0];
  registered_at timestamptz;
  found_in text;
begin
  loop
    insert into message_keys (id, created_at)
    values (new.id, new.created_at)
    on conflict (id) do nothing;
    if found then
      return new;
    end if;

    -- The id is known: the message is being moved, or this is a duplicate. An update, not a mere row lock: it makes a
    -- second mover wait under READ COMMITTED and fail under REPEATABLE READ. Replies and files only need the key's
    -- FOR KEY SHARE lock and do not wait.
    update message_keys
       set created_at = created_at
     where id = new.id
    returning created_at into registered_at;
    exit when found; -- else deleted in the meantime: register again
  end loop;

  -- Rows the same statement has deleted before this one are already gone for a volatile function
  -- (https://www.postgresql.org/docs/16/trigger-datachanges.html).
  found_in := case
    when exists (select from messages m where m.id = new.id and m.created_at = registered_at)
      then 'messages'
    when exists (select from messages_archive a where a.id = new.id and a.created_at = registered_at)
      then 'messages_archive'
  end;

  if found_in is null then
    if registered_at <> new.created_at then
      update message_keys
         set created_at = new.created_at
       where id = new.id;
    end if;
    return new;
  end if;

  -- The same key in the same table is left to the primary key, so that ON CONFLICT works.
  if found_in = root and registered_at = new.created_at then
    return new;
  end if;

  raise exception 'duplicate key value violates unique constraint "%_pkey"', root
    using errcode = 'unique_violation',
          detail = format('Key (id)=(%s) already exists in %s.', new.id, found_in),
          schema = tg_table_schema,
          table = root,
          constraint = root || '_pkey';
end
$$;

create function follow_message_key()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
as $$
begin
  if new.id <> old.id then
    raise exception 'id of a message cannot be changed'
      using errcode = 'restrict_violation',
            detail = format('Replies and files refer to the message by its id %s.', old.id),
            hint = 'Insert a new message and delete this one.';
  end if;
  update message_keys
     set created_at = new.created_at
   where id = new.id;
  return new;
end
$$;

-- AFTER triggers run when the whole statement is done: a message moved by WITH ... DELETE ... INSERT is found in its
-- new place. An update that moves a row to another partition deletes it here too, but has changed the key's created_at.
create function unregister_message_key()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set enable_seqscan to off
as $$
begin
  delete from message_keys k
   where k.id = old.id
     and k.created_at = old.created_at
     and not exists (select from messages_archive a where a.id = old.id and a.created_at = old.created_at)
     and not exists (select from messages m where m.id = old.id and m.created_at = old.created_at);
  return null;
end
$$;

create function unregister_truncated_message_keys()
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

comment on function register_message_key() is
  'Trigger: writes the key of a new message and refuses an id that exists in messages or messages_archive (23505).';
comment on function follow_message_key() is
  'Trigger: keeps message_keys.created_at equal to the message''s and refuses another id (23001).';
comment on function unregister_message_key() is
  'Trigger: removes the key of a message that is really gone, not of one that was moved.';
comment on function unregister_truncated_message_keys() is
  'Trigger: removes the keys of all messages that a TRUNCATE took.';

-- Whoever may execute a trigger function may put it on a table of his own, where these would run as their owner.
revoke execute
  on function
    register_message_key(),
    follow_message_key(),
    unregister_message_key(),
    unregister_truncated_message_keys()
  from public, authenticated;

-- Down Migration

drop function
  unregister_truncated_message_keys(),
  unregister_message_key(),
  follow_message_key(),
  register_message_key();
drop table message_keys;
