-- The views. They run as the role that queries them, not as their owner, so that row-level security holds through them
-- (security_invoker, https://www.postgresql.org/docs/16/sql-createview.html#SQL-CREATEVIEW-SECURITY).

-- Up Migration

create view active_assistants
  with (security_invoker = true)
as
select a.id,
       a.name,
       a.description,
       a.default_llm_model,
       u.username as owner_username,
       count(c.id) as conversation_count,
       max(c.created_at) as last_conversation_at
  from assistants a
  join users u on a.user_id = u.id
  left join conversations c on a.id = c.assistant_id
 where a.is_active = true
 group by a.id, a.name, a.description, a.default_llm_model, u.username;

create view conversation_stats
  with (security_invoker = true)
as
select c.id,
       c.title,
       c.status,
       a.name as assistant_name,
       u.username as user_name,
       count(m.id) as message_count,
       min(m.created_at) as first_message_at,
       max(m.created_at) as last_message_at
  from conversations c
  join users u on c.user_id = u.id
  left join assistants a on c.assistant_id = a.id
  left join messages m on c.id = m.conversation_id
 group by c.id, c.title, c.status, a.name, u.username;

-- is_archived is a constant in each branch: a condition on it removes the other branch when the query is planned.
create view all_messages
  with (security_invoker = true)
as
select m.id,
       m.conversation_id,
       m.role,
       m.content,
       m.content_type,
       m.parent_id,
       m.metadata,
       m.created_at,
       false as is_archived
  from messages m
union all
select a.id,
       a.conversation_id,
       a.role,
       a.content,
       a.content_type,
       a.parent_id,
       a.metadata,
       a.created_at,
       true as is_archived
  from messages_archive a;

comment on view active_assistants is
  'Active assistants (アクティブなアシスタント情報ビュー): with their owner and their conversations counted.';
comment on column active_assistants.id is 'Assistant.';
comment on column active_assistants.name is 'Name of the assistant.';
comment on column active_assistants.description is 'Description of the assistant.';
comment on column active_assistants.default_llm_model is 'Language model the assistant uses by default.';
comment on column active_assistants.owner_username is 'Login name of the owner.';
comment on column active_assistants.conversation_count is 'Number of conversations with the assistant.';
comment on column active_assistants.last_conversation_at is 'Time the newest of them was created, null without any.';

comment on view conversation_stats is
  'Conversation statistics (会話統計ビュー): counts what is in messages; all_messages has the archived ones too.';
comment on column conversation_stats.id is 'Conversation.';
comment on column conversation_stats.title is 'Title of the conversation.';
comment on column conversation_stats.status is 'State of the conversation.';
comment on column conversation_stats.assistant_name is 'Name of the assistant, null without one.';
comment on column conversation_stats.user_name is 'Login name of the owner.';
comment on column conversation_stats.message_count is 'Number of messages not archived.';
comment on column conversation_stats.first_message_at is 'Time of the oldest of them.';
comment on column conversation_stats.last_message_at is 'Time of the newest of them.';

comment on view all_messages is 'Messages and archived messages together.';
comment on column all_messages.id is 'Identifier.';
comment on column all_messages.conversation_id is 'Conversation.';
comment on column all_messages.role is 'Who speaks: user, assistant, system or tool.';
comment on column all_messages.content is 'What was said.';
comment on column all_messages.content_type is 'Kind of content.';
comment on column all_messages.parent_id is 'Message this one answers.';
comment on column all_messages.metadata is 'Further attributes.';
comment on column all_messages.created_at is 'Time of the message.';
comment on column all_messages.is_archived is 'True for a row of messages_archive, false for one of messages.';

do $$
begin
  perform aisec_revoke_all('active_assistants', 'conversation_stats', 'all_messages');
end
$$;

-- Down Migration

drop view all_messages, conversation_stats, active_assistants;
