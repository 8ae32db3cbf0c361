-- Functions the tables and policies build on: who is asking, when a row changed, and passwords.
--
-- Every function pins its search_path, so that it finds its own schema whatever the session has set
-- (https://www.postgresql.org/docs/16/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY).

-- Up Migration

-- STABLE, never IMMUTABLE: an immutable function is folded into a cached plan, which then answers with the rows of
-- whoever ran it first. A setting that was set once and reset reads as '', not null.
create function current_user_id()
  returns uuid
  language sql
  stable
  parallel safe
  set search_path from current
as $$
  select nullif(current_setting('app.current_user_id', true), '')::uuid
$$;

create function set_updated_at()
  returns trigger
  language plpgsql
  set search_path from current
as $$
begin
  new.updated_at := now();
  return new;
end
$$;

create function hash_password(password text)
  returns text
  language plpgsql
  volatile
  strict
  set search_path from current
as $$
begin
  -- bcrypt reads 72 bytes and ignores the rest: two long passwords with the same beginning would be one.
  if octet_length(password) > 72 then
    raise exception 'password is longer than 72 bytes'
      using errcode = 'string_data_right_truncation',
            detail = format('The password has %s bytes, and bcrypt ignores all after the 72nd.', octet_length(password)),
            hint = 'Choose a shorter password. Characters outside ASCII take two to four bytes each.';
  end if;
  return crypt(password, gen_salt('bf', 12));
end
$$;

-- False, not null, for a missing password or hash: "if not verify_password(...)" must never let null pass.
-- The cost makes the planner test every other condition of a query first; one call takes a fifth of a second.
create function verify_password(password text, hash text)
  returns boolean
  language plpgsql
  stable
  parallel safe
  cost 1000000
  set search_path from current
as $$
begin
  return coalesce(hash = crypt(password, hash), false);
end
$$;

comment on function current_user_id() is
  'The user a session acts for: the uuid in the setting app.current_user_id, null when unset or empty.';
comment on function set_updated_at() is
  'Trigger: sets updated_at to the time of the transaction on every update.';
comment on function hash_password(text) is
  'Password hash (パスワードハッシュ化関数): bcrypt, cost 12. Null stays null; more than 72 bytes are refused (22001).';
comment on function verify_password(text, text) is
  'Password check (パスワード検証関数): true if the password belongs to the hash, false if not or if either is null.';

-- PUBLIC may execute a new function by default (https://www.postgresql.org/docs/16/ddl-priv.html), and ALTER DEFAULT
-- PRIVILEGES may have let authenticated do so too.
revoke execute
  on function current_user_id(), set_updated_at(), hash_password(text), verify_password(text, text)
  from public, authenticated;
grant execute on function current_user_id() to authenticated;

-- Down Migration

drop function
  verify_password(text, text),
  hash_password(text),
  set_updated_at(),
  current_user_id();
