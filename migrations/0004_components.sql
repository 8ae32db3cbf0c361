-- The components an assistant is put together from: a voice, an avatar, a personality.
--
-- A row without a user belongs to the system, and every user may read it, like a public one.

-- Up Migration

create table voices (
  id          uuid                     primary key default gen_random_uuid(),
  user_id     uuid                     constraint voices_user_id_fkey references users (id) on delete cascade,
  name        varchar(100)             not null,
  provider    varchar(50),
  voice_id    varchar(100),
  language    varchar(10),
  gender      varchar(20),
  age_group   varchar(20),
  description text,
  sample_url  varchar(500),
  settings    jsonb,
  is_active   boolean                  default true,
  is_public   boolean                  default false,
  created_at  timestamp with time zone not null default now(),
  updated_at  timestamp with time zone not null default now(),
  constraint voices_name_not_blank check (name ~ '\S'),
  -- JSON null besides SQL null: SQLAlchemy writes None as JSON null. The same holds for every optional object below.
  constraint voices_settings_is_object check (jsonb_typeof(settings) in ('object', 'null'))
);

create index idx_voices_user_id on voices (user_id);
create index idx_voices_provider on voices (provider);
create index idx_voices_language on voices (language);
create index idx_voices_is_active on voices (is_active);

create trigger set_updated_at
  before update on voices
  for each row
  execute function set_updated_at();

create table avatars (
  id             uuid                     primary key default gen_random_uuid(),
  user_id        uuid                     constraint avatars_user_id_fkey references users (id) on delete cascade,
  name           varchar(100)             not null,
  avatar_type    varchar(50),
  image_url      varchar(500),
  animated_url   varchar(500),
  style          varchar(50),
  gender         varchar(20),
  age_appearance varchar(20),
  tags           text[],
  metadata       jsonb,
  is_active      boolean                  default true,
  is_public      boolean                  default false,
  created_at     timestamp with time zone not null default now(),
  updated_at     timestamp with time zone not null default now(),
  constraint avatars_name_not_blank check (name ~ '\S')
);

create index idx_avatars_user_id on avatars (user_id);
create index idx_avatars_avatar_type on avatars (avatar_type);
create index idx_avatars_style on avatars (style);
create index idx_avatars_is_active on avatars (is_active);
create index idx_avatars_tags on avatars using gin (tags);

create trigger set_updated_at
  before update on avatars
  for each row
  execute function set_updated_at();

create table personality_templates (
  id            uuid                     primary key default gen_random_uuid(),
  user_id       uuid                     constraint personality_templates_user_id_fkey
                                         references users (id) on delete cascade,
  name          varchar(100)             not null,
  description   text,
  template_type varchar(50),
  system_prompt text,
  parameters    jsonb,
  is_active     boolean                  default true,
  is_public     boolean                  default false,
  created_at    timestamp with time zone not null default now(),
  updated_at    timestamp with time zone not null default now(),
  constraint personality_templates_name_not_blank check (name ~ '\S'),
  constraint personality_templates_parameters_is_object check (jsonb_typeof(parameters) in ('object', 'null'))
);

create index idx_personality_templates_user_id on personality_templates (user_id);
create index idx_personality_templates_template_type on personality_templates (template_type);
create index idx_personality_templates_is_active on personality_templates (is_active);

create trigger set_updated_at
  before update on personality_templates
  for each row
  execute function set_updated_at();

comment on table voices is 'Voices (音声設定): how an assistant sounds.';
comment on column voices.id is 'Identifier.';
comment on column voices.user_id is 'Owner; null for a voice of the system.';
comment on column voices.name is 'Name shown to users. pii: text';
comment on column voices.provider is 'Service that speaks. pii: none';
comment on column voices.voice_id is 'Name of the voice at the provider; no key of this database. pii: token';
comment on column voices.language is 'Language code, such as ja-JP. pii: none';
comment on column voices.gender is 'Gender the voice suggests. pii: none';
comment on column voices.age_group is 'Age the voice suggests. pii: none';
comment on column voices.description is 'Description shown to users. pii: text';
comment on column voices.sample_url is 'Address of a sound sample. pii: url';
comment on column voices.settings is 'Settings for the provider, an object. pii: json';
comment on column voices.is_active is 'False when the voice is no longer offered.';
comment on column voices.is_public is 'True when every user may read it.';
comment on column voices.created_at is 'Time the row was created.';
comment on column voices.updated_at is 'Time of the last change, kept by trigger.';

comment on table avatars is 'Avatars (アバター設定): how an assistant looks.';
comment on column avatars.id is 'Identifier.';
comment on column avatars.user_id is 'Owner; null for an avatar of the system.';
comment on column avatars.name is 'Name shown to users. pii: text';
comment on column avatars.avatar_type is 'Kind of avatar. pii: none';
comment on column avatars.image_url is 'Address of the still image. pii: url';
comment on column avatars.animated_url is 'Address of the animation. pii: url';
comment on column avatars.style is 'Style of the drawing. pii: none';
comment on column avatars.gender is 'Gender the avatar suggests. pii: none';
comment on column avatars.age_appearance is 'Age the avatar suggests. pii: none';
comment on column avatars.tags is 'Tags to search by. pii: text';
comment on column avatars.metadata is 'Further attributes. pii: json';
comment on column avatars.is_active is 'False when the avatar is no longer offered.';
comment on column avatars.is_public is 'True when every user may read it.';
comment on column avatars.created_at is 'Time the row was created.';
comment on column avatars.updated_at is 'Time of the last change, kept by trigger.';

comment on table personality_templates is 'Personality templates (パーソナリティテンプレート): how an assistant behaves.';
comment on column personality_templates.id is 'Identifier.';
comment on column personality_templates.user_id is 'Owner; null for a template of the system.';
comment on column personality_templates.name is 'Name shown to users. pii: text';
comment on column personality_templates.description is 'Description shown to users. pii: text';
comment on column personality_templates.template_type is 'Kind of template. pii: none';
comment on column personality_templates.system_prompt is 'Prompt that gives the assistant its personality. pii: text';
comment on column personality_templates.parameters is 'Parameters for the model, an object. pii: json';
comment on column personality_templates.is_active is 'False when the template is no longer offered.';
comment on column personality_templates.is_public is 'True when every user may read it.';
comment on column personality_templates.created_at is 'Time the row was created.';
comment on column personality_templates.updated_at is 'Time of the last change, kept by trigger.';

do $$
begin
  perform aisec_revoke_all('voices', 'avatars', 'personality_templates');
end
$$;

-- Down Migration

drop table personality_templates, avatars, voices;
