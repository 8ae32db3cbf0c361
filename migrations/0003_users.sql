-- The people who use the platform. Almost every other row belongs to one of them.

-- Up Migration

create table users (
  id            uuid                     primary key default gen_random_uuid(),
  username      varchar(50)              unique not null,
  email         varchar(255)             unique not null,
  password_hash varchar(255)             not null,
  first_name    varchar(100),
  last_name     varchar(100),
  is_active     boolean                  not null default true,
  is_verified   boolean                  not null default false,
  last_login_at timestamp with time zone,
  created_at    timestamp with time zone not null default now(),
  updated_at    timestamp with time zone not null default now(),
  constraint users_username_not_blank check (username ~ '\S'),
  constraint users_email_not_blank check (email ~ '\S'),
  constraint users_password_hash_not_blank check (password_hash ~ '\S')
);

create index idx_users_username on users (username);
create index idx_users_email on users (email);
create index idx_users_is_active on users (is_active);
create index idx_users_created_at on users (created_at);

create trigger set_updated_at
  before update on users
  for each row
  execute function set_updated_at();

comment on table users is 'Users (ユーザー): people with an account.';
comment on column users.id is 'Identifier.';
comment on column users.username is 'Login name, unique. pii: username';
comment on column users.email is 'E-mail address, unique. pii: email';
comment on column users.password_hash is 'Hash made by hash_password; role authenticated cannot read it. pii: password';
comment on column users.first_name is 'Given name. pii: name';
comment on column users.last_name is 'Family name. pii: name';
comment on column users.is_active is 'False when the account is closed or suspended.';
comment on column users.is_verified is 'True once the e-mail address is confirmed.';
comment on column users.last_login_at is 'Time of the last login, null before the first.';
comment on column users.created_at is 'Time the row was created.';
comment on column users.updated_at is 'Time of the last change, kept by trigger.';

do $$
begin
  perform aisec_revoke_all('users');
end
$$;

-- Down Migration

drop table users;
