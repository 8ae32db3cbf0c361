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
-- (https://www.postgresql.org/docs/16/sql-createtrigger.html#SQL-CREATETRIGGER-NOTES). All but one are ENABLE ALWAYS: without a
-- key, a message written with session_replication_role = replica (bulk loads, subscriptions) could be written twice.
--
-- They are silent for a session that says it moves messages (the setting aisec.moving_messages) and may write
-- message_keys itself, which role authenticated may not: the key of a moved message does not change. WHEN is evaluated
-- as the role that writes, while the functions run as their owner.
create trigger aisec_register_message_key
  before insert on messages
  for each row
  when (
    current_setting('aisec.moving_messages', true) is distinct from 'on'
    or not has_table_privilege('message_keys'::regclass, 'insert')
  )
  execute function aisec_register_message_key('messages');

create trigger aisec_follow_message_key
  before update on messages
  for each row
  when (
    new.id is distinct from old.id
    or new.created_at is distinct from old.created_at
    or new.parent_id is distinct from old.parent_id
  )
  execute function aisec_follow_message_key();

create constraint trigger aisec_unregister_replicated_message_key
  after delete on messages
  deferrable initially deferred
  for each row
  execute function aisec_unregister_replicated_message_key();

alter table messages enable always trigger aisec_register_message_key;
alter table messages enable always trigger aisec_follow_message_key;
alter table messages enable replica trigger aisec_unregister_replicated_message_key;

-- Statement triggers, since one statement that deletes all keys of a conversation is eight times as fast as one a
-- message. A statement that names a partition fires the triggers of that partition only, so each has its own.
create function aisec_watch_messages(relation regclass)
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
begin
  execute format(
    'create or replace trigger aisec_unregister_message_keys
       after delete on %s
       referencing old table as deleted_messages
       for each statement
       when (
         current_setting(''aisec.moving_messages'', true) is distinct from ''on''
         or not has_table_privilege(''message_keys''::regclass, ''delete'')
       )
       execute function aisec_unregister_message_keys()',
    relation
  );
  execute format(
    'create or replace trigger aisec_unregister_truncated_message_keys
       after truncate on %s
       for each statement
       execute function aisec_unregister_truncated_message_keys()',
    relation
  );
  execute format('alter table %s enable always trigger aisec_unregister_message_keys', relation);
  execute format('alter table %s enable always trigger aisec_unregister_truncated_message_keys', relation);
end
$$;

comment on function aisec_watch_messages(regclass) is
  'Internal. Creates the statement triggers that delete the keys of deleted messages, on messages, messages_archive or a '
  'partition.';

create table messages_default partition of messages default;

do $$
begin
  perform aisec_revoke_execute('aisec_watch_messages(regclass)');
  perform aisec_watch_messages('messages');
  perform aisec_watch_messages('messages_default');
  perform aisec_revoke_all('messages', 'messages_default');
end
$$;

comment on table messages is 'Messages (メッセージ履歴): what was said in conversations, partitioned by month.';
comment on column messages.id is 'Identifier, unique over messages and messages_archive.';
comment on column messages.conversation_id is 'Conversation; its messages are deleted with it.';
comment on column messages.role is 'Who speaks: user, assistant, system or tool. pii: none';
comment on column messages.content is 'What was said. pii: text';
comment on column messages.content_type is 'Kind of content. pii: none';
comment on column messages.parent_id is
  'Message this one answers, live or archived; set to null when that message is deleted.';
comment on column messages.metadata is 'Further attributes. pii: json';
comment on column messages.created_at is 'Time of the message; its UTC month decides the partition.';
comment on table messages_default is 'Messages of months that have no partition yet; empty when all is well.';

-- Down Migration

drop table messages;
drop function aisec_watch_messages(regclass);
