-- Who may do what: privileges and row-level security policies of role authenticated.
--
-- (select current_user_id()) is evaluated once a statement, the bare call once a row: 40 ms against 867 ms over a
-- million rows. USING of child tables compares with = any (array(select ...)): 0.09 ms, with IN or EXISTS 100 ms. WITH
-- CHECK looks up the one row that a new row refers to.
-- https://www.postgresql.org/docs/16/ddl-rowsecurity.html
--
-- A new row may refer only to rows its user can see, public and system rows included. Otherwise a user could block the
-- deletion of a row of another user, and a service that bypasses the policies would join the two. A reference that does
-- not decide who sees the row may also stay as it is: a public voice that becomes private must not make the assistants
-- of other users unchangeable.

-- Up Migration

-- Partitions have RLS and neither policy nor privilege: they are reached through their root.
alter table users enable row level security;
alter table voices enable row level security;
alter table avatars enable row level security;
alter table personality_templates enable row level security;
alter table assistants enable row level security;
alter table skill_definitions enable row level security;
alter table assistant_skills enable row level security;
alter table conversations enable row level security;
alter table messages enable row level security;
alter table messages_default enable row level security;
alter table messages_archive enable row level security;
alter table files enable row level security;
alter table knowledge_base enable row level security;
alter table user_preferences enable row level security;
alter table system_settings enable row level security;
alter table api_usage enable row level security;

-- VOLATILE, so that it sees a row inserted by the same statement (WITH ... INSERT), which a subquery of the policy does
-- not. It runs as the role that calls it and under the policies, so it answers no more than a SELECT would.
create function aisec_sees(relation regclass, row_id uuid)
  returns boolean
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  is_visible boolean;
begin
  execute format('select exists (select from %s where id = $1)', relation)
    into is_visible
    using row_id;
  return is_visible;
end
$$;

-- The policy is checked before the row is written, so this reads the row as it was. In a subquery of the policy the
-- table's own policies would be recursive.
create function aisec_keeps_reference(
    relation regclass, key_column name, row_key uuid, reference_column name, reference uuid
  )
  returns boolean
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  is_kept boolean;
begin
  execute format('select exists (select from %s where %I = $1 and %I = $2)', relation, key_column, reference_column)
    into is_kept
    using row_key, reference;
  return is_kept;
end
$$;

-- VOLATILE as aisec_sees. message_keys, which role authenticated cannot read, has the time, so that one partition is
-- read. EXECUTE plans for this very time: a cached plan for any time would lock all partitions until the transaction
-- ends, and a join would take twice as long to plan. enable_seqscan is off for the two plans that are cached: a session
-- keeps them, also when they were made for an empty table.
create function aisec_may_refer_to_message(message_id uuid)
  returns boolean
  language plpgsql
  volatile
  security definer
  set search_path from current
  set enable_seqscan to off
as $$
declare
  registered_at timestamptz;
  conversation uuid;
begin
  select k.created_at
    into registered_at
    from message_keys k
   where k.id = message_id;
  if not found then
    return false;
  end if;

  execute 'select m.conversation_id from messages m where m.id = $1 and m.created_at = $2'
    into conversation
    using message_id, registered_at;
  if conversation is null then
    execute 'select a.conversation_id from messages_archive a where a.id = $1 and a.created_at = $2'
      into conversation
      using message_id, registered_at;
  end if;
  return exists (select from conversations c where c.id = conversation and c.user_id = current_user_id());
end
$$;

comment on function aisec_sees(regclass, uuid) is
  'Internal: true if the role sees the row of a table with this id, rows of the running statement included.';
comment on function aisec_keeps_reference(regclass, name, uuid, name, uuid) is
  'Internal: true if the row with this key has this reference already, so that a policy lets it stay.';
comment on function aisec_may_refer_to_message(uuid) is
  'Internal: true if the message, live or archived, is in a conversation of the current user.';

do $$
begin
  perform aisec_revoke_execute(
    'aisec_sees(regclass, uuid)',
    'aisec_keeps_reference(regclass, name, uuid, name, uuid)',
    'aisec_may_refer_to_message(uuid)'
  );
end
$$;
grant execute
  on function
    aisec_sees(regclass, uuid),
    aisec_keeps_reference(regclass, name, uuid, name, uuid),
    aisec_may_refer_to_message(uuid)
  to authenticated;

-- users: the own row without password_hash. What identifies, verifies or closes the account, the service changes.
grant select (
    id, username, email, first_name, last_name, is_active, is_verified, last_login_at, created_at, updated_at
  ), update (
    first_name, last_name
  )
  on users
  to authenticated;

create policy user_users_policy on users
  for all to authenticated
  using (id = (select current_user_id()));

-- Components and skills: own rows read and write, those of the system and public ones read only.
grant select, insert, update, delete
  on voices, avatars, personality_templates, skill_definitions
  to authenticated;

create policy user_voices_policy on voices
  for all to authenticated
  using (user_id = (select current_user_id()));
create policy public_voices_policy on voices
  for select to authenticated
  using (user_id is null or is_public);

create policy user_avatars_policy on avatars
  for all to authenticated
  using (user_id = (select current_user_id()));
create policy public_avatars_policy on avatars
  for select to authenticated
  using (user_id is null or is_public);

create policy user_personality_templates_policy on personality_templates
  for all to authenticated
  using (user_id = (select current_user_id()));
create policy public_personality_templates_policy on personality_templates
  for select to authenticated
  using (user_id is null or is_public);

create policy user_skill_definitions_policy on skill_definitions
  for all to authenticated
  using (user_id = (select current_user_id()));
create policy public_skill_definitions_policy on skill_definitions
  for select to authenticated
  using (user_id is null or is_public);

-- Everything else: own rows only.
grant select, insert, update, delete
  on assistants, assistant_skills, conversations, messages, files, knowledge_base, user_preferences
  to authenticated;

create policy user_assistants_policy on assistants
  for all to authenticated
  using (user_id = (select current_user_id()))
  with check (
    user_id = (select current_user_id())
    and (
      personality_template_id is null
      or exists (select from personality_templates p where p.id = assistants.personality_template_id)
      or aisec_sees('personality_templates', personality_template_id)
      or aisec_keeps_reference('assistants', 'id', id, 'personality_template_id', personality_template_id)
    )
    and (
      voice_id is null
      or exists (select from voices v where v.id = assistants.voice_id)
      or aisec_sees('voices', voice_id)
      or aisec_keeps_reference('assistants', 'id', id, 'voice_id', voice_id)
    )
    and (
      avatar_id is null
      or exists (select from avatars a where a.id = assistants.avatar_id)
      or aisec_sees('avatars', avatar_id)
      or aisec_keeps_reference('assistants', 'id', id, 'avatar_id', avatar_id)
    )
  );

create policy user_assistant_skills_policy on assistant_skills
  for all to authenticated
  using (
    assistant_id = any (array(select a.id from assistants a where a.user_id = (select current_user_id())))
  )
  with check (
    exists (select from assistants a where a.id = assistant_id and a.user_id = (select current_user_id()))
    and (
      exists (select from skill_definitions s where s.id = skill_definition_id)
      or aisec_sees('skill_definitions', skill_definition_id)
      or aisec_keeps_reference(
        'assistant_skills', 'assistant_id', assistant_id, 'skill_definition_id', skill_definition_id
      )
    )
  );

create policy user_conversations_policy on conversations
  for all to authenticated
  using (user_id = (select current_user_id()))
  with check (
    user_id = (select current_user_id())
    and (
      assistant_id is null
      or exists (select from assistants a where a.id = conversations.assistant_id)
      or aisec_sees('assistants', assistant_id)
      or aisec_keeps_reference('conversations', 'id', id, 'assistant_id', assistant_id)
    )
    and (
      voice_id is null
      or exists (select from voices v where v.id = conversations.voice_id)
      or aisec_sees('voices', voice_id)
      or aisec_keeps_reference('conversations', 'id', id, 'voice_id', voice_id)
    )
  );

create policy user_messages_policy on messages
  for all to authenticated
  using (
    conversation_id = any (array(select c.id from conversations c where c.user_id = (select current_user_id())))
  )
  with check (
    exists (select from conversations c where c.id = conversation_id and c.user_id = (select current_user_id()))
    and (
      parent_id is null
      or aisec_may_refer_to_message(parent_id)
      or aisec_keeps_reference('messages', 'id', id, 'parent_id', parent_id)
    )
  );

-- Archived messages are read and deleted; only the archive functions write them.
grant select, delete on messages_archive to authenticated;

create policy user_messages_archive_policy on messages_archive
  for all to authenticated
  using (
    conversation_id = any (array(select c.id from conversations c where c.user_id = (select current_user_id())))
  );

create policy user_files_policy on files
  for all to authenticated
  using (user_id = (select current_user_id()))
  with check (
    user_id = (select current_user_id())
    and (
      conversation_id is null
      or exists (select from conversations c where c.id = files.conversation_id)
      or aisec_sees('conversations', conversation_id)
      or aisec_keeps_reference('files', 'id', id, 'conversation_id', conversation_id)
    )
    and (
      message_id is null
      or aisec_may_refer_to_message(message_id)
      or aisec_keeps_reference('files', 'id', id, 'message_id', message_id)
    )
  );

create policy user_knowledge_base_policy on knowledge_base
  for all to authenticated
  using (
    secretary_id = any (array(select a.id from assistants a where a.user_id = (select current_user_id())))
  )
  with check (
    exists (select from assistants a where a.id = secretary_id and a.user_id = (select current_user_id()))
  );

create policy user_user_preferences_policy on user_preferences
  for all to authenticated
  using (user_id = (select current_user_id()))
  with check (
    user_id = (select current_user_id())
    and (
      default_assistant_id is null
      or exists (select from assistants a where a.id = user_preferences.default_assistant_id)
      or aisec_sees('assistants', default_assistant_id)
      or aisec_keeps_reference('user_preferences', 'user_id', user_id, 'default_assistant_id', default_assistant_id)
    )
  );

-- Read only: settings are the operator's, usage is metered by the service.
grant select on system_settings, api_usage to authenticated;

create policy public_system_settings_policy on system_settings
  for select to authenticated
  using (true);

create policy user_api_usage_policy on api_usage
  for select to authenticated
  using (
    secretary_id = any (array(select a.id from assistants a where a.user_id = (select current_user_id())))
  );

grant select on active_assistants, conversation_stats, all_messages to authenticated;

-- Down Migration

revoke all on active_assistants, conversation_stats, all_messages from authenticated;
revoke all
  on users, voices, avatars, personality_templates, assistants, skill_definitions, assistant_skills, conversations,
     messages, messages_archive, files, knowledge_base, user_preferences, system_settings, api_usage
  from authenticated;

drop policy user_api_usage_policy on api_usage;
drop policy public_system_settings_policy on system_settings;
drop policy user_user_preferences_policy on user_preferences;
drop policy user_knowledge_base_policy on knowledge_base;
drop policy user_files_policy on files;
drop policy user_messages_archive_policy on messages_archive;
drop policy user_messages_policy on messages;
drop policy user_conversations_policy on conversations;
drop policy user_assistant_skills_policy on assistant_skills;
drop policy user_assistants_policy on assistants;
drop policy public_skill_definitions_policy on skill_definitions;
drop policy user_skill_definitions_policy on skill_definitions;
drop policy public_personality_templates_policy on personality_templates;
drop policy user_personality_templates_policy on personality_templates;
drop policy public_avatars_policy on avatars;
drop policy user_avatars_policy on avatars;
drop policy public_voices_policy on voices;
drop policy user_voices_policy on voices;
drop policy user_users_policy on users;

drop function
  aisec_may_refer_to_message(uuid),
  aisec_keeps_reference(regclass, name, uuid, name, uuid),
  aisec_sees(regclass, uuid);

alter table users disable row level security;
alter table voices disable row level security;
alter table avatars disable row level security;
alter table personality_templates disable row level security;
alter table assistants disable row level security;
alter table skill_definitions disable row level security;
alter table assistant_skills disable row level security;
alter table conversations disable row level security;
alter table messages disable row level security;
alter table messages_default disable row level security;
alter table messages_archive disable row level security;
alter table files disable row level security;
alter table knowledge_base disable row level security;
alter table user_preferences disable row level security;
alter table system_settings disable row level security;
alter table api_usage disable row level security;
