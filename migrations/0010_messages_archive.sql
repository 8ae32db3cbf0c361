-- The archived messages: months leave messages and join this table as they are.
--
-- Columns, checks and indexes equal those of messages, so that attaching a month builds and scans nothing. The foreign
-- keys to conversations and message_keys are not here but on each partition, which brings its own along: with keys on
-- the root, attaching would take ACCESS EXCLUSIVE on conversations and message_keys.

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

create trigger register_message_key
  before insert on messages_archive
  for each row
  execute function register_message_key('messages_archive');

create trigger follow_message_key
  before update on messages_archive
  for each row
  when (new.id is distinct from old.id or new.created_at is distinct from old.created_at)
  execute function follow_message_key();

create trigger unregister_message_key
  after delete on messages_archive
  for each row
  execute function unregister_message_key();

create trigger unregister_truncated_message_keys
  after truncate on messages_archive
  for each statement
  execute function unregister_truncated_message_keys();

comment on table messages_archive is 'Archived messages (アーカイブテーブル): months that left messages, partitioned alike.';

-- Down Migration

drop table messages_archive;
