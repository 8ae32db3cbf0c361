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
    or new.parent_id is distinct from old.parent_id
  )
  execute function aisec_check_archived_references();

alter table messages_archive enable always trigger aisec_register_message_key;
alter table messages_archive enable always trigger aisec_follow_message_key;

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
drop table messages_archive;
