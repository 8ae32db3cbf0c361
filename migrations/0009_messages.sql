-- The messages of conversations, partitioned by calendar month (UTC) of created_at.
--
-- Monthly partitions come from ensure_message_partitions; messages_default catches what no month covers.

-- Up Migration

create table messages (
  id              uuid                     not null default gen_random_uuid(),
  conversation_id uuid                     not null
                                           constraint messages_conversation_id_fkey
                                           references conversations (id) on delete cascade,
  role            varchar(50)              not null,
  content         text,
  content_type    varchar(50),
  -- SET NULL where the design document has the plain reference: a reply outlives the message it answers, so that a
  -- message can be deleted, an archived month dropped, and a user deleted whatever others refer to.
  parent_id       uuid                     constraint messages_parent_id_fkey
                                           references message_keys (id) on delete set null
                                           deferrable,
  metadata        jsonb,
  created_at      timestamp with time zone not null default now(),
  constraint messages_pkey primary key (id, created_at),
  constraint messages_role_check check (role in ('user', 'assistant', 'system', 'tool'))
) partition by range (created_at);

create index idx_messages_conversation_id on messages (conversation_id);
create index idx_messages_role on messages (role);
create index idx_messages_parent_id on messages (parent_id);
create index idx_messages_created_at on messages (created_at);
create index idx_messages_conversation_created on messages (conversation_id, created_at desc);

-- Row triggers are cloned to each partition when it is attached and dropped when it is detached
-- (https://www.postgresql.org/docs/16/sql-createtrigger.html#SQL-CREATETRIGGER-NOTES).
create trigger register_message_key
  before insert on messages
  for each row
  execute function register_message_key('messages');

create trigger follow_message_key
  before update on messages
  for each row
  when (new.id is distinct from old.id or new.created_at is distinct from old.created_at)
  execute function follow_message_key();

create trigger unregister_message_key
  after delete on messages
  for each row
  execute function unregister_message_key();

create trigger unregister_truncated_message_keys
  after truncate on messages
  for each statement
  execute function unregister_truncated_message_keys();

create table messages_default partition of messages default;

comment on table messages is 'Messages (メッセージ履歴): what was said in conversations, partitioned by month.';
comment on column messages.id is 'Identifier, unique over messages and messages_archive.';
comment on column messages.conversation_id is 'Conversation; its messages are deleted with it.';
comment on column messages.role is 'Who speaks: user, assistant, system or tool.';
comment on column messages.content is 'What was said.';
comment on column messages.content_type is 'Kind of content.';
comment on column messages.parent_id is
  'Message this one answers, live or archived; set to null when that message is deleted.';
comment on column messages.metadata is 'Further attributes.';
comment on column messages.created_at is 'Time of the message; its UTC month decides the partition.';
comment on table messages_default is 'Messages of months that have no partition yet; empty when all is well.';

-- Down Migration

drop table messages;
