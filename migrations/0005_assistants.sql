-- The AI assistants of a user.

-- Up Migration

create table assistants (
  id                      uuid                     primary key default gen_random_uuid(),
  user_id                 uuid                     not null
                                                   constraint assistants_user_id_fkey
                                                   references users (id) on delete cascade,
  name                    varchar(100)             not null,
  description             text,
  personality_template_id uuid                     constraint assistants_personality_template_id_fkey
                                                   references personality_templates (id) on delete set null,
  voice_id                uuid                     constraint assistants_voice_id_fkey
                                                   references voices (id) on delete set null,
  avatar_id               uuid                     constraint assistants_avatar_id_fkey
                                                   references avatars (id) on delete set null,
  default_llm_model       varchar(100)             default 'gemini-pro',
  custom_system_prompt    text,
  is_active               boolean                  not null default true,
  is_public               boolean                  not null default false,
  created_at              timestamp with time zone not null default now(),
  updated_at              timestamp with time zone not null default now(),
  constraint assistants_name_not_blank check (name ~ '\S')
);

create index idx_assistants_user_id on assistants (user_id);
create index idx_assistants_is_active on assistants (is_active);
create index idx_assistants_is_public on assistants (is_public);
create index idx_assistants_created_at on assistants (created_at);
create index idx_assistants_user_active_created on assistants (user_id, is_active, created_at desc);
create index idx_assistants_active on assistants (user_id, name) where is_active = true;

-- Not in the design document, which has no foreign keys here: without them, deleting a component reads all assistants.
create index idx_assistants_personality_template_id
  on assistants (personality_template_id)
  where personality_template_id is not null;
create index idx_assistants_voice_id on assistants (voice_id) where voice_id is not null;
create index idx_assistants_avatar_id on assistants (avatar_id) where avatar_id is not null;

create trigger set_updated_at
  before update on assistants
  for each row
  execute function set_updated_at();

comment on table assistants is 'Assistants (AI秘書): the AI assistants of a user.';
comment on column assistants.id is 'Identifier; knowledge_base and api_usage call it secretary_id.';
comment on column assistants.user_id is 'Owner.';
comment on column assistants.name is 'Name shown to the user. pii: text';
comment on column assistants.description is 'Description shown to the user. pii: text';
comment on column assistants.personality_template_id is 'How it behaves; null when none is chosen or it was deleted.';
comment on column assistants.voice_id is 'How it sounds; null when none is chosen or it was deleted.';
comment on column assistants.avatar_id is 'How it looks; null when none is chosen or it was deleted.';
comment on column assistants.default_llm_model is 'Language model it uses by default. pii: none';
comment on column assistants.custom_system_prompt is 'Prompt of the user''s own, besides the template''s. pii: text';
comment on column assistants.is_active is 'False when the user has deactivated it.';
comment on column assistants.is_public is 'Marked for publication by its owner; the policies still show it to the owner only.';
comment on column assistants.created_at is 'Time the row was created.';
comment on column assistants.updated_at is 'Time of the last change, kept by trigger.';

do $$
begin
  perform aisec_revoke_all('assistants');
end
$$;

-- Down Migration

drop table assistants;
