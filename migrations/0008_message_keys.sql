-- One row for every message that exists, live or archived, so that others can refer to a message by its id alone.
--
-- messages is partitioned by time, so no unique constraint of its own can cover id without created_at, and a foreign
-- key that points at a partition would forbid its archiving
-- (https://www.postgresql.org/docs/16/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-LIMITATIONS).
-- Triggers on messages, messages_archive and each of their partitions keep this table. Applications never see it.
--
-- Archived months have no foreign keys: with one on each of 119 archived months, every deleted key and every deleted
-- conversation ran 119 queries. Two statement triggers take their place, one on message_keys and one on conversations.
-- parent_id is here so that the replies of all months are found by one index.

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
comment on column message_keys.created_at is 'created_at of the message: tells which partition holds it.';
comment on column message_keys.parent_id is 'parent_id of the message: finds the replies to a message in any month.';

alter table message_keys enable row level security;

-- A transaction that moves messages between messages and messages_archive updates this row. A REPEATABLE READ
-- transaction that deletes reads it FOR SHARE: it fails with 40001 when a move was committed after its snapshot, which
-- could hide rows from the triggers that stand in for foreign keys.
create table aisec_message_moves (
  is_only  boolean                  primary key default true constraint aisec_message_moves_is_only_check check (is_only),
  moved_at timestamp with time zone not null default clock_timestamp()
);

insert into aisec_message_moves default values;

comment on table aisec_message_moves is
  'Internal. One row, updated by each transaction that moves messages between messages and messages_archive.';
comment on column aisec_message_moves.is_only is 'True: there is one row.';
comment on column aisec_message_moves.moved_at is 'Time of the last move.';

alter table aisec_message_moves enable row level security;
do $$
begin
  perform aisec_revoke_all('message_keys', 'aisec_message_moves');
end
$$;

-- The triggers run as the owner, since role authenticated has no privileges on message_keys. The argument of the
-- first is the root table, since tg_table_name is the partition.
--
-- enable_seqscan is off in all functions that look keys or messages up: a session keeps their plans, and one made while a
-- partition was empty reads the whole partition for every row later (5000 rows moved: 6 s instead of 1).

create function aisec_register_message_key()
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
    insert into message_keys (id, created_at, parent_id)
    values (new.id, new.created_at, new.parent_id)
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

  -- Rows the same statement has deleted before this one are already deleted for a volatile function
  -- (https://www.postgresql.org/docs/16/trigger-datachanges.html).
  found_in := case
    when exists (select from messages m where m.id = new.id and m.created_at = registered_at)
      then 'messages'
    when exists (select from messages_archive a where a.id = new.id and a.created_at = registered_at)
      then 'messages_archive'
  end;

  if found_in is null then
    update message_keys
       set created_at = new.created_at,
           parent_id = new.parent_id
     where id = new.id
       and (created_at, parent_id) is distinct from (new.created_at, new.parent_id);
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
-- new place. Only the key of such a message was written by this transaction, so its age tells for which keys the tables
-- have to be searched: a search locks every partition of both tables
-- (https://www.postgresql.org/docs/16/functions-info.html#FUNCTIONS-PG-SNAPSHOT). An update that moves a row to another
-- partition is no DELETE for a statement trigger.
create function aisec_unregister_message_keys()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set enable_seqscan to off
  set enable_hashjoin to off
  set enable_mergejoin to off
as $$
declare
  rewritten uuid[];
  kept uuid[] := '{}';
begin
  select array_agg(k.id)
  into rewritten
  from deleted_messages d
  join message_keys k on k.id = d.id and k.created_at = d.created_at
  where age(k.xmin) <= 0;
  if rewritten is not null then
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
  using deleted_messages d
  where k.id = d.id
    and k.created_at = d.created_at
    and k.id <> all (kept);
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

create function aisec_refuse_stale_snapshot()
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    perform from aisec_message_moves for share;
  end if;
end
$$;

-- The foreign key messages_parent_id_fkey has set parent_id to null in live months already: it acts before a statement
-- trigger. Left are the replies in archived months. Each month is named by its bounds, so that no other is locked.
create function aisec_clear_archived_replies()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set enable_seqscan to off
  set enable_hashjoin to off
  set enable_mergejoin to off
as $$
declare
  replies record;
begin
  perform aisec_refuse_stale_snapshot();
  for replies in
    select date_trunc('month', k.created_at) as month, array_agg(k.id) as ids
    from deleted_keys d
    join message_keys k on k.parent_id = d.id
    group by 1
  loop
    execute format(
      'update messages_archive
          set parent_id = null
        where id = any ($1)
          and created_at >= %L::timestamptz
          and created_at < %L::timestamptz',
      replies.month, replies.month + interval '1 month'
    )
    using replies.ids;
  end loop;
  return null;
end
$$;

create function aisec_delete_archived_messages()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set enable_seqscan to off
  set enable_hashjoin to off
  set enable_mergejoin to off
as $$
begin
  perform aisec_refuse_stale_snapshot();
  delete from messages_archive a
  where a.conversation_id = any (array(select d.id from deleted_conversations d));
  return null;
end
$$;

-- TRUNCATE ... CASCADE follows foreign keys, and archived months have none.
create function aisec_truncate_archived_messages()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
as $$
begin
  truncate messages_archive;
  return null;
end
$$;

create function aisec_keep_archived_references()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set enable_seqscan to off
as $$
begin
  if exists (select from messages_archive a where a.conversation_id = old.id) then
    raise exception 'id of conversation % cannot be changed', old.id
      using errcode = 'foreign_key_violation',
            detail = format('Key (id)=(%s) is still referenced from table "messages_archive".', old.id);
  end if;
  return null;
end
$$;

-- FOR KEY SHARE, as a foreign key takes it: a conversation or message that is referred to cannot be deleted before this
-- transaction has ended.
create function aisec_check_archived_references()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
as $$
begin
  perform from conversations c where c.id = new.conversation_id for key share;
  if not found then
    raise exception 'insert or update on table "messages_archive" violates the reference of conversation_id'
      using errcode = 'foreign_key_violation',
            detail = format('Key (conversation_id)=(%s) is not present in table "conversations".', new.conversation_id);
  end if;
  if new.parent_id is not null then
    perform from message_keys k where k.id = new.parent_id for key share;
    if not found then
      raise exception 'insert or update on table "messages_archive" violates the reference of parent_id'
        using errcode = 'foreign_key_violation',
              detail = format('Key (parent_id)=(%s) is not present in table "message_keys".', new.parent_id);
    end if;
  end if;
  return null;
end
$$;

comment on function aisec_register_message_key() is
  'Trigger: writes the key of a new message and refuses an id that exists in messages or messages_archive (23505).';
comment on function aisec_follow_message_key() is
  'Trigger: keeps created_at and parent_id of message_keys equal to the message''s and refuses another id (23001).';
comment on function aisec_unregister_message_keys() is
  'Trigger: deletes the keys of messages that are deleted, not of those that were moved.';
comment on function aisec_unregister_truncated_message_keys() is
  'Trigger: deletes the keys of all messages that a TRUNCATE deleted.';
comment on function aisec_refuse_stale_snapshot() is
  'Internal: fails with 40001 in a REPEATABLE READ or SERIALIZABLE transaction whose snapshot is older than the last '
  'move between messages and messages_archive.';
comment on function aisec_clear_archived_replies() is
  'Trigger: sets parent_id to null in archived replies to deleted messages, as a foreign key on delete set null.';
comment on function aisec_delete_archived_messages() is
  'Trigger: deletes the archived messages of deleted conversations, as a foreign key on delete cascade.';

comment on function aisec_truncate_archived_messages() is
  'Trigger: truncates messages_archive with conversations or message_keys, as TRUNCATE ... CASCADE does by a foreign key.';
comment on function aisec_keep_archived_references() is
  'Trigger: refuses another id for a conversation with archived messages (23503), as a foreign key does.';
comment on function aisec_check_archived_references() is
  'Trigger: refuses an archived message whose conversation or parent message does not exist (23503), as a foreign key '
  'does.';

-- A role that may execute a trigger function may use it for a table of its own, where these would run as their owner.
do $$
begin
  perform aisec_revoke_execute(
    'aisec_register_message_key()',
    'aisec_follow_message_key()',
    'aisec_unregister_message_keys()',
    'aisec_unregister_truncated_message_keys()',
    'aisec_refuse_stale_snapshot()',
    'aisec_clear_archived_replies()',
    'aisec_delete_archived_messages()',
    'aisec_truncate_archived_messages()',
    'aisec_keep_archived_references()',
    'aisec_check_archived_references()'
  );
end
$$;

-- Down Migration

drop table message_keys, aisec_message_moves;
drop function
  aisec_check_archived_references(),
  aisec_keep_archived_references(),
  aisec_truncate_archived_messages(),
  aisec_delete_archived_messages(),
  aisec_clear_archived_replies(),
  aisec_refuse_stale_snapshot(),
  aisec_unregister_truncated_message_keys(),
  aisec_unregister_message_keys(),
  aisec_follow_message_key(),
  aisec_register_message_key();
