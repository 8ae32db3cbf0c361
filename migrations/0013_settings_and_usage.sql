-- Preferences of users, settings of the platform, and what calls to language models cost.

-- Up Migration

create table user_preferences (
  user_id               uuid                     primary key
                                                 constraint user_preferences_user_id_fkey
                                                 references users (id) on delete cascade,
  theme                 varchar(50),
  language              varchar(10),
  timezone              varchar(50),
  notification_settings jsonb,
  privacy_settings      jsonb,
  default_assistant_id  uuid                     constraint user_preferences_default_assistant_id_fkey
                                                 references assistants (id),
  created_at            timestamp with time zone not null default now(),
  updated_at            timestamp with time zone not null default now(),
  constraint user_preferences_notification_settings_is_object
    check (jsonb_typeof(notification_settings) in ('object', 'null')),
  constraint user_preferences_privacy_settings_is_object
    check (jsonb_typeof(privacy_settings) in ('object', 'null'))
);

-- Not in the design document: without it, deleting an assistant reads the preferences of all users.
create index idx_user_preferences_default_assistant_id
  on user_preferences (default_assistant_id)
  where default_assistant_id is not null;

create trigger set_updated_at
  before update on user_preferences
  for each row
  execute function set_updated_at();

create table system_settings (
  id          uuid                     primary key default gen_random_uuid(),
  key         varchar(255)             unique not null,
  value       jsonb                    not null,
  description text,
  updated_at  timestamp with time zone not null default now(),
  constraint system_settings_key_not_blank check (key ~ '\S')
);

create index idx_system_settings_key on system_settings (key);

create trigger set_updated_at
  before update on system_settings
  for each row
  execute function set_updated_at();

create table api_usage (
  id               uuid                     primary key default gen_random_uuid(),
  secretary_id     uuid                     constraint api_usage_secretary_id_fkey references assistants (id),
  api_name         varchar(100)             not null,
  tokens_used      integer,
  cost             decimal(10, 4),
  response_time_ms integer,
  success          boolean                  not null default true,
  error_message    text,
  metadata         jsonb,
  created_at       timestamp with time zone not null default now(),
  constraint api_usage_api_name_not_blank check (api_name ~ '\S'),
  constraint api_usage_tokens_used_not_negative check (tokens_used >= 0),
  constraint api_usage_cost_not_negative check (cost >= 0),
  constraint api_usage_response_time_ms_not_negative check (response_time_ms >= 0)
);

create index idx_api_usage_secretary_id on api_usage (secretary_id);
create index idx_api_usage_api_name on api_usage (api_name);
create index idx_api_usage_created_at on api_usage (created_at);
create index idx_api_usage_success on api_usage (success);

comment on table user_preferences is 'Preferences (ユーザー設定): one row for a user.';
comment on column user_preferences.user_id is 'The user.';
comment on column user_preferences.theme is 'Theme of the user interface. pii: none';
comment on column user_preferences.language is 'Language code of the user interface. pii: none';
comment on column user_preferences.timezone is 'Name of the user''s time zone, such as Asia/Tokyo. pii: none';
comment on column user_preferences.notification_settings is 'What to notify the user of, an object. pii: json';
comment on column user_preferences.privacy_settings is 'What may be done with the user''s data, an object. pii: json';
comment on column user_preferences.default_assistant_id is
  'Assistant a new conversation starts with; it cannot be deleted while it is chosen here.';
comment on column user_preferences.created_at is 'Time the row was created.';
comment on column user_preferences.updated_at is 'Time of the last change, kept by trigger.';

comment on table system_settings is
  'System settings (システム設定): settings of the platform. Role authenticated reads them all: no place for secrets.';
comment on column system_settings.id is 'Identifier.';
comment on column system_settings.key is 'Name of the setting, unique. pii: none';
comment on column system_settings.value is 'Value of the setting. pii: json';
comment on column system_settings.description is 'What the setting does. pii: none';
comment on column system_settings.updated_at is 'Time of the last change, kept by trigger.';

comment on table api_usage is 'API usage (API使用履歴): one row for a call to an outside service.';
comment on column api_usage.id is 'Identifier.';
comment on column api_usage.secretary_id is 'Assistant that made the call; it cannot be deleted before its usage.';
comment on column api_usage.api_name is 'Service that was called. pii: none';
comment on column api_usage.tokens_used is 'Tokens of request and answer together.';
comment on column api_usage.cost is 'Price of the call.';
comment on column api_usage.response_time_ms is 'Time until the answer, in milliseconds.';
comment on column api_usage.success is 'False when the call failed.';
comment on column api_usage.error_message is 'Why it failed. pii: text';
comment on column api_usage.metadata is 'Further attributes. pii: json';
comment on column api_usage.created_at is 'Time of the call.';

do $$
begin
  perform aisec_revoke_all('user_preferences', 'system_settings', 'api_usage');
end
$$;

-- Down Migration

drop table api_usage, system_settings, user_preferences;
