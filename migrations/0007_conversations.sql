-- Conversations between a user and an assistant.

-- Up Migration

create table conversations (
  id                uuid                     primary key default gen_random_uuid(),
  user_id           uuid                     not null
                                             constraint conversations_user_id_fkey
                                             references users (id) on delete cascade,
  assistant_id      uuid                     constraint conversations_assistant_id_fkey references assistants (id),
  title             varchar(200),
  conversation_type varchar(50),
  status            varchar(50),
  voice_enabled     boolean                  default false,
  voice_id          uuid                     constraint conversations_voice_id_fkey
                                             references voices (id) on delete set null,
  metadata          jsonb,
  started_at        timestamp with time zone,
  ended_at          timestamp with time zone,
  created_at        timestamp with time zone not null default now(),
  updated_at        timestamp with time zone not null default now(),
  constraint conversations_ended_at_not_before_started_at check (ended_at >= started_at)
);

create index idx_conversations_user_id on conversations (user_id);
create index idx_conversations_assistant_id on conversations (assistant_id);
create index idx_conversations_status on conversations (status);
create index idx_conversations_conversation_type on conversations (conversation_type);
create index idx_conversations_created_at on conversations (created_at);
create index idx_conversations_user_status_created on conversations (user_id, status, created_at desc);

-- Not in the design document, which has no foreign key here: without it, deleting a voice reads all conversations.
create index idx_conversations_voice_id on conversations (voice_id) where voice_id is not null;

create trigger set_updated_at
  before update on conversations
  for each row
  execute function set_updated_at();

comment on table conversations is 'Conversations (会話セッション): sessions of a user with an assistant.';
comment on column conversations.id is 'Identifier.';
comment on column conversations.user_id is 'Owner.';
comment on column conversations.assistant_id is 'The assistant; it cannot be deleted while a conversation with it exists.';
comment on column conversations.title is 'Title shown to the user. pii: text';
comment on column conversations.conversation_type is 'Kind of conversation. pii: none';
comment on column conversations.status is 'State of the conversation. pii: none';
comment on column conversations.voice_enabled is 'True when the assistant speaks.';
comment on column conversations.voice_id is 'Voice it speaks with; null when none is chosen or it was deleted.';
comment on column conversations.metadata is 'Further attributes. pii: json';
comment on column conversations.started_at is 'Time the conversation began.';
comment on column conversations.ended_at is 'Time it ended, not before it began; null while it continues.';
comment on column conversations.created_at is 'Time the row was created.';
comment on column conversations.updated_at is 'Time of the last change, kept by trigger.';

do $$
begin
  perform aisec_revoke_all('conversations');
end
$$;

-- Down Migration

drop table conversations;
