-- The archived messages: months leave messages and join this table as they are.
--
-- Columns, checks and indexes equal those of messages, so that attaching a month builds and scans nothing. Its references
-- to conversations and message_keys are kept by the triggers below and not by foreign keys: those cost a query a deleted
-- message and archived month.

-- Up Migration

create table messages_archive (
  like messages including comments including constraints including defaults,
  constraint messages_archive_pkey primary key (id, created_at)
) partition by range (created_at);

create index idx_messages_archive_conversation_id on messages_archive (conversation_id);
create index idx_messages_archive_role on messages_archive (role);
create index idx_messages_archive_parent_id on messages_archive (parent_id);
create index idx_messages_archive_created_at on messages_archive (created_at);
create index idx_messages_archive_conversation_created on messages_archive (conversation_id, created_at desc);

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
  perform aisec_revoke_all('aisec_message_moves');
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

-- Last in a transaction that moves messages, and without waiting. A REPEATABLE READ transaction that deletes has the row
-- FOR SHARE until it ends, and may then wait for a message that this transaction has moved: waiting here for the row would
-- be a deadlock, and taking it earlier would make that transaction wait for all of the move.
create function aisec_record_message_move()
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
begin
  perform from aisec_message_moves for no key update nowait;
  insert into aisec_message_moves default values
  on conflict (is_only) do update
  set moved_at = clock_timestamp();
exception
  when lock_not_available then
    raise exception 'a REPEATABLE READ or SERIALIZABLE transaction is deleting messages or conversations'
      using
        errcode = 'lock_not_available',
        detail = 'It must not miss the messages that move between messages and messages_archive.',
        hint = 'No changes were made. Run it again when that transaction has ended.';
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
as $$
declare
  replies record;
begin
  perform aisec_refuse_stale_snapshot();
  for replies in
    select date_trunc('month', k.created_at) as month, array_agg(k.id) as ids
    from message_keys k
    where k.parent_id = any (array(select d.id from deleted_keys d))
      and k.parent_id is not null
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

-- Finding the months locks every partition of the archive, seven relations each, so the block that does it fails: that
-- releases its locks, and the variables keep their values. No message of a deleted conversation can be added meanwhile.
create function aisec_delete_archived_messages()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set enable_seqscan to off
as $$
declare
  conversation_ids constant uuid[] := array(select d.id from deleted_conversations d);
  partitions regclass[];
  found_in record;
  deleted_ids uuid[];
  all_deleted_ids uuid[] := '{}';
begin
  perform aisec_refuse_stale_snapshot();
  begin
    partitions := array(
      select distinct a.tableoid::regclass
      from messages_archive a
      where a.conversation_id = any (conversation_ids)
    );
    raise exception using errcode = 'AI000';
  exception
    when sqlstate 'AI000' then
      null;
  end;
  if partitions = '{}' then
    return null;
  end if;
  -- All keys in one statement afterwards: month by month, each would set parent_id in the months that follow to null.
  perform set_config('aisec.moving_messages', 'on', true);
  for found_in in
    select b.lower_bound, b.upper_bound
    from aisec_message_partition_bounds() b
    where b.partition = any (partitions)
  loop
    execute format(
      'with deleted as (
         delete from messages_archive
          where conversation_id = any ($1)
            and created_at >= %L::timestamptz
            and created_at < %L::timestamptz
         returning id
       )
       select array_agg(id) from deleted',
      found_in.lower_bound, found_in.upper_bound
    )
    into deleted_ids
    using conversation_ids;
    all_deleted_ids := all_deleted_ids || deleted_ids;
  end loop;
  perform set_config('aisec.moving_messages', 'off', true);
  delete from message_keys k
  where k.id = any (all_deleted_ids);
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
  if tg_op = 'INSERT' or new.conversation_id is distinct from old.conversation_id then
    perform from conversations c where c.id = new.conversation_id for key share;
    if not found then
      raise exception 'insert or update on table "messages_archive" violates the reference of conversation_id'
        using errcode = 'foreign_key_violation',
              detail = format('Key (conversation_id)=(%s) is not present in table "conversations".', new.conversation_id);
    end if;
  end if;
  if new.parent_id is not null and (tg_op = 'INSERT' or new.parent_id is distinct from old.parent_id) then
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

comment on function aisec_refuse_stale_snapshot() is
  'Internal: fails with 40001 in a REPEATABLE READ or SERIALIZABLE transaction whose snapshot is older than the last '
  'move between messages and messages_archive.';
comment on function aisec_record_message_move() is
  'Internal. Last call of a transaction that moves messages: makes REPEATABLE READ transactions that delete and began '
  'before it fail with 40001; fails with 55P03 while one of them has deleted.';
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
    'aisec_refuse_stale_snapshot()',
    'aisec_record_message_move()',
    'aisec_clear_archived_replies()',
    'aisec_delete_archived_messages()',
    'aisec_truncate_archived_messages()',
    'aisec_keep_archived_references()',
    'aisec_check_archived_references()'
  );
end
$$;

create trigger aisec_register_message_key
  before insert on messages_archive
  for each row
  when (
    current_setting('aisec.moving_messages', true) is distinct from 'on'
    or not has_table_privilege('message_keys'::regclass, 'insert')
  )
  execute function aisec_register_message_key('messages_archive');

create trigger aisec_follow_message_key
  before update on messages_archive
  for each row
  when (
    new.id is distinct from old.id
    or new.created_at is distinct from old.created_at
    or new.parent_id is distinct from old.parent_id
  )
  execute function aisec_follow_message_key();

-- A moved message keeps its references: its row in messages is locked by the move, so that deleting the conversation or
-- the parent message waits for it and then finds it here.
create trigger aisec_check_archived_references
  after insert on messages_archive
  for each row
  when (
    current_setting('aisec.moving_messages', true) is distinct from 'on'
    or not has_table_privilege('message_keys'::regclass, 'insert')
  )
  execute function aisec_check_archived_references();

create trigger aisec_check_changed_archived_references
  after update on messages_archive
  for each row
  when (
    new.conversation_id is distinct from old.conversation_id
    or (new.parent_id is not null and new.parent_id is distinct from old.parent_id)
  )
  execute function aisec_check_archived_references();

create constraint trigger aisec_unregister_replicated_message_key
  after delete on messages_archive
  deferrable initially deferred
  for each row
  execute function aisec_unregister_replicated_message_key();

alter table messages_archive enable always trigger aisec_register_message_key;
alter table messages_archive enable always trigger aisec_follow_message_key;
alter table messages_archive enable replica trigger aisec_unregister_replicated_message_key;

do $$
begin
  perform aisec_watch_messages('messages_archive');
  perform aisec_revoke_all('messages_archive');
end
$$;

create trigger aisec_clear_archived_replies
  after delete on message_keys
  referencing old table as deleted_keys
  for each statement
  execute function aisec_clear_archived_replies();

create trigger aisec_delete_archived_messages
  after delete on conversations
  referencing old table as deleted_conversations
  for each statement
  execute function aisec_delete_archived_messages();

create trigger aisec_keep_archived_references
  after update on conversations
  for each row
  when (new.id is distinct from old.id)
  execute function aisec_keep_archived_references();

create trigger aisec_truncate_archived_messages
  after truncate on conversations
  for each statement
  execute function aisec_truncate_archived_messages();

create trigger aisec_truncate_archived_messages
  after truncate on message_keys
  for each statement
  execute function aisec_truncate_archived_messages();

alter table message_keys enable always trigger aisec_clear_archived_replies;
alter table message_keys enable always trigger aisec_truncate_archived_messages;
alter table conversations enable always trigger aisec_delete_archived_messages;
alter table conversations enable always trigger aisec_truncate_archived_messages;

comment on table messages_archive is 'Archived messages (アーカイブテーブル): months that left messages, partitioned alike.';

-- Down Migration

drop trigger aisec_truncate_archived_messages on conversations;
drop trigger aisec_keep_archived_references on conversations;
drop trigger aisec_delete_archived_messages on conversations;
drop trigger aisec_truncate_archived_messages on message_keys;
drop trigger aisec_clear_archived_replies on message_keys;
drop table messages_archive, aisec_message_moves;
drop function
  aisec_check_archived_references(),
  aisec_keep_archived_references(),
  aisec_truncate_archived_messages(),
  aisec_delete_archived_messages(),
  aisec_clear_archived_replies(),
  aisec_record_message_move(),
  aisec_refuse_stale_snapshot();
