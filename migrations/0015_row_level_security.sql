-- Who may do what: privileges and row level security policies of role authenticated.
--
-- (select current_user_id()) is evaluated once a statement, the bare call once a row: 40 ms against 867 ms over a million
-- rows. Child tables compare with = any (array(select ...)): 0.09 ms, with IN or EXISTS 100 ms.
-- https://www.postgresql.org/docs/16/ddl-rowsecurity.html

-- Up Migration

-- Partitions and message_keys have RLS and neither policy nor privilege: they are reached through their root or trigger.
alter table users enable row level security;
alter table voices enable row level security;
alter table avatars enable row level security;
alter table personality_templates enable row level security;
alter table assistants enable row level security;
alter table skill_definitions enable row level security;
alter table assistant_skills enable row level security;
alter table conversations enable row level security;
alter table message_keys enable row level security;
alter table messages enable row level security;
alter table messages_default enable row level security;
alter table messages_archive enable row level security;
alter table files enable row level security;
alter table knowledge_base enable row level security;
alter table user_preferences enable row level security;
alter table system_settings enable row level security;
alter table api_usage enable row level security;

-- ALTER DEFAULT PRIVILEGES may have granted more than what follows; hosted databases come with such grants, and one on
-- all of users would give password_hash away.
revoke all
  on users, voices, avatars, personality_templates, assistants, skill_definitions, assistant_skills, conversations,
     message_keys, messages, messages_default, messages_archive, files, knowledge_base, user_preferences,
     system_settings, api_usage, active_assistants, conversation_stats, all_messages
  from public, authenticated;

-- VOLATILE, so that it sees a message inserted by the same statement (WITH ... INSERT). By message_keys it reads one
-- partition instead of all; role authenticated could not read that table itself.
create function is_own_message(message_id uuid)
  returns boolean
  language plpgsql
  volatile
  security definer
  set search_path from current
as $$
declare
  registered_at timestamptz;
begin
  select k.created_at
    into registered_at
    from message_keys k
   where k.id = message_id;

  return exists (
    select
      from messages m
      join conversations c on c.id = m.conversation_id
     where m.id = message_id
       and m.created_at = registered_at
       and c.user_id = current_user_id()
  ) or exists (
    select
      from messages_archive a
      join conversations c on c.id = a.conversation_id
     where a.id = message_id
       and a.created_at = registered_at
       and c.user_id = current_user_id()
  );
end
$$;

comment on function is_own_message(uuid) is
  'True if the message, live or archived, is in a conversation of the current user; for the policy of files.';

revoke execute on function is_own_message(uuid) from public, authenticated;
grant execute on function is_own_message(uuid) to authenticated;

-- users: the own row without password_hash. What identifies, verifies or closes the account is for the service to change.
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

-- Everything else: own rows only. Without WITH CHECK, USING holds for new rows as well.
grant select, insert, update, delete
  on assistants, assistant_skills, conversations, messages, files, knowledge_base, user_preferences
  to authenticated;

create policy user_assistants_policy on assistants
  for all to authenticated
  using (user_id = (select current_user_id()));

create policy user_assistant_skills_policy on assistant_skills
  for all to authenticated
  using (
    assistant_id = any (array(select a.id from assistants a where a.user_id = (select current_user_id())))
  )
  with check (
    assistant_id = any (array(select a.id from assistants a where a.user_id = (select current_user_id())))
    -- Only a skill the user can see, by the policies of skill_definitions.
    and exists (select from skill_definitions s where s.id = skill_definition_id)
  );

create policy user_conversations_policy on conversations
  for all to authenticated
  using (user_id = (select current_user_id()));

create policy user_messages_policy on messages
  for all to authenticated
  using (
    conversation_id = any (array(select c.id from conversations c where c.user_id = (select current_user_id())))
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
      or conversation_id = any (array(select c.id from conversations c where c.user_id = (select current_user_id())))
    )
    and (message_id is null or is_own_message(message_id))
  );

create policy user_knowledge_base_policy on knowledge_base
  for all to authenticated
  using (
    secretary_id = any (array(select a.id from assistants a where a.user_id = (select current_user_id())))
  );

create policy user_user_preferences_policy on user_preferences
  for all to authenticated
  using (user_id = (select current_user_id()));

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

drop function is_own_message(uuid);

alter table users disable row level security;
alter table voices disable row level security;
alter table avatars disable row level security;
alter table personality_templates disable row level security;
alter table assistants disable row level security;
alter table skill_definitions disable row level security;
alter table assistant_skills disable row level security;
alter table conversations disable row level security;
alter table message_keys disable row level security;
alter table messages disable row level security;
alter table messages_default disable row level security;
alter table messages_archive disable row level security;
alter table files disable row level security;
alter table knowledge_base disable row level security;
alter table user_preferences disable row level security;
alter table system_settings disable row level security;
alter table api_usage disable row level security;
