-- What assistants can do: the skills, and which assistant has which.

-- Up Migration

create table skill_definitions (
  id            uuid                     primary key default gen_random_uuid(),
  user_id       uuid                     constraint skill_definitions_user_id_fkey
                                         references users (id) on delete cascade,
  skill_code    varchar(10)              not null,
  name          varchar(100)             not null,
  description   text                     not null,
  skill_type    varchar(50)              not null,
  configuration jsonb                    not null,
  is_public     boolean                  not null default false,
  is_active     boolean                  not null default true,
  created_at    timestamp with time zone not null default now(),
  updated_at    timestamp with time zone not null default now(),
  constraint skill_definitions_skill_code_not_blank check (skill_code ~ '\S'),
  constraint skill_definitions_name_not_blank check (name ~ '\S'),
  constraint skill_definitions_skill_type_not_blank check (skill_type ~ '\S'),
  constraint skill_definitions_configuration_is_object check (jsonb_typeof(configuration) = 'object')
);

create index idx_skill_definitions_user_id on skill_definitions (user_id);
create index idx_skill_definitions_skill_code on skill_definitions (skill_code);
create index idx_skill_definitions_skill_type on skill_definitions (skill_type);
create index idx_skill_definitions_is_active on skill_definitions (is_active);

create trigger set_updated_at
  before update on skill_definitions
  for each row
  execute function set_updated_at();

create table assistant_skills (
  assistant_id        uuid                     not null
                                               constraint assistant_skills_assistant_id_fkey
                                               references assistants (id) on delete cascade,
  skill_definition_id uuid                     not null
                                               constraint assistant_skills_skill_definition_id_fkey
                                               references skill_definitions (id) on delete cascade,
  is_enabled          boolean                  not null default true,
  priority            integer                  not null default 1,
  custom_settings     jsonb,
  created_at          timestamp with time zone not null default now(),
  updated_at          timestamp with time zone not null default now(),
  primary key (assistant_id, skill_definition_id),
  constraint assistant_skills_priority_from_one check (priority >= 1),
  constraint assistant_skills_custom_settings_is_object check (jsonb_typeof(custom_settings) in ('object', 'null'))
);

create index idx_assistant_skills_assistant_id on assistant_skills (assistant_id);
create index idx_assistant_skills_skill_definition_id on assistant_skills (skill_definition_id);
create index idx_assistant_skills_is_enabled on assistant_skills (is_enabled);
create index idx_assistant_skills_priority on assistant_skills (priority);

create trigger set_updated_at
  before update on assistant_skills
  for each row
  execute function set_updated_at();

comment on table skill_definitions is 'Skill definitions (スキル定義): what an assistant can be taught.';
comment on column skill_definitions.id is 'Identifier.';
comment on column skill_definitions.user_id is 'Owner; null for a skill of the system.';
comment on column skill_definitions.skill_code is 'Short code of the skill. pii: none';
comment on column skill_definitions.name is 'Name shown to users. pii: text';
comment on column skill_definitions.description is 'Description shown to users. pii: text';
comment on column skill_definitions.skill_type is 'Kind of skill. pii: none';
comment on column skill_definitions.configuration is 'Configuration of the skill, an object. pii: json';
comment on column skill_definitions.is_public is 'True when every user may read it.';
comment on column skill_definitions.is_active is 'False when the skill is no longer offered.';
comment on column skill_definitions.created_at is 'Time the row was created.';
comment on column skill_definitions.updated_at is 'Time of the last change, kept by trigger.';

comment on table assistant_skills is 'Skills of assistants (アシスタントスキル関連): which assistant has which skill.';
comment on column assistant_skills.assistant_id is 'The assistant.';
comment on column assistant_skills.skill_definition_id is 'The skill.';
comment on column assistant_skills.is_enabled is 'False when the assistant must not use the skill.';
comment on column assistant_skills.priority is 'Order among the assistant''s skills, from 1.';
comment on column assistant_skills.custom_settings is 'Settings of this assistant for the skill, an object. pii: json';
comment on column assistant_skills.created_at is 'Time the row was created.';
comment on column assistant_skills.updated_at is 'Time of the last change, kept by trigger.';

do $$
begin
  perform aisec_revoke_all('skill_definitions', 'assistant_skills');
end
$$;

-- Down Migration

drop table assistant_skills, skill_definitions;
