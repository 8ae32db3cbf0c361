-- Which tables of the platform have rows that `aisec seed` did not write?
-- Parameters: none
-- Columns:    table_name (text)
-- Needs:      SELECT on the tables of the platform, found through search_path, without row-level security (their owner)
select w.table_name
from (
  values
    ('users', exists (select from users where username <> 'admin' and email <> 'admin@ai-secretary.local')),
    ('voices', exists (select from voices)),
    ('avatars', exists (select from avatars)),
    ('personality_templates', exists (select from personality_templates)),
    ('skill_definitions', exists (select from skill_definitions)),
    ('assistants', exists (select from assistants)),
    ('assistant_skills', exists (select from assistant_skills)),
    ('user_preferences', exists (select from user_preferences)),
    ('conversations', exists (select from conversations)),
    ('messages', exists (select from messages)),
    ('messages_archive', exists (select from messages_archive)),
    ('files', exists (select from files)),
    ('knowledge_base', exists (select from knowledge_base)),
    ('api_usage', exists (select from api_usage)),
    (
      'system_settings',
      exists (
        select
        from system_settings
        where key not in ('app_version', 'max_file_size', 'supported_file_types', 'default_llm_model')
      )
    )
) as w (table_name, has_rows)
where w.has_rows
