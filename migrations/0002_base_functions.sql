-- Functions the tables and policies build on: privileges, the current user, the time of a change, and passwords.
--
-- Every function pins its search_path, so that it finds its own schema whatever the session has set
-- (https://www.postgresql.org/docs/16/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY).

-- Up Migration

-- Hosted databases come with ALTER DEFAULT PRIVILEGES that grant privileges on every new object: to their own roles, to
-- authenticated, to PUBLIC. Row-level security does not hold for TRUNCATE, and REFERENCES and TRIGGER are ways in, too.
-- So the migration that creates an object revokes all of them in the same transaction, and then grants what is needed.

-- Privileges on columns need no REVOKE of their own: one on the table includes them. CASCADE takes back what a grantee
-- has granted on.
create function aisec_revoke_all(variadic relations regclass[])
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  target record;
begin
  for target in
    with targets as (
      select r.oid
        from unnest(relations) as r (oid)
       union
      -- The sequences of serial and identity columns have default privileges of their own.
      select d.objid
        from pg_depend d
        join pg_class s on s.oid = d.objid
       where d.classid = 'pg_class'::regclass
         and d.refclassid = 'pg_class'::regclass
         and d.refobjid = any (relations)
         and d.deptype in ('a', 'i')
         and s.relkind = 'S'
    ), granted as (
      select c.oid, p.grantee
        from targets t
        join pg_class c on c.oid = t.oid
       cross join aclexplode(c.relacl) p
       where p.grantee <> c.relowner
       union
      select c.oid, p.grantee
        from targets t
        join pg_class c on c.oid = t.oid
        join pg_attribute a on a.attrelid = c.oid
       cross join aclexplode(a.attacl) p
       where p.grantee <> c.relowner
    )
    select g.oid::regclass as relation,
           string_agg(case g.grantee when 0 then 'public' else g.grantee::regrole::text end, ', ') as grantees
      from granted g
     group by g.oid
  loop
    execute format('revoke all on table %s from %s cascade', target.relation, target.grantees);
  end loop;
end
$$;

-- PUBLIC may execute every new function, also where no default privilege says so
-- (https://www.postgresql.org/docs/16/ddl-priv.html). A trigger function that a role may execute can be put on a table
-- of that role, where it would run as its owner.
create function aisec_revoke_execute(variadic functions regprocedure[])
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  target record;
begin
  for target in
    select f.oid::regprocedure as function,
           string_agg(
             distinct case p.grantee when 0 then 'public' else p.grantee::regrole::text end, ', '
           ) as grantees
      from pg_proc f
     cross join aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) p
     where f.oid = any (functions)
       and p.grantee <> f.proowner
     group by f.oid
  loop
    execute format('revoke all on function %s from %s cascade', target.function, target.grantees);
  end loop;
end
$$;

-- STABLE, never IMMUTABLE: an immutable function is folded into a cached plan, which then answers with the rows of the
-- user who ran it first. A setting that was set once and reset reads as '', not null.
--
-- No SET clause: a function with one is never inlined, and starting it took 80 µs in every statement under row-level
-- security; without one the planner puts its expression in its place (5 µs). The body is parsed here, once, so no
-- search_path can give its names another meaning.
create function current_user_id()
  returns uuid
  language sql
  stable
  parallel safe
  return nullif(current_setting('app.current_user_id', true), '')::uuid;

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

comment on function aisec_revoke_all(regclass[]) is
  'Internal: takes every privilege on tables, views and their sequences from all roles but the owner, PUBLIC included.';
comment on function aisec_revoke_execute(regprocedure[]) is
  'Internal: takes EXECUTE on functions from all roles but the owner, PUBLIC included.';
comment on function current_user_id() is
  'The user a session acts for: the uuid in the setting app.current_user_id, null when unset or empty.';
comment on function set_updated_at() is
  'Trigger: sets updated_at to the time of the transaction on every update.';
comment on function hash_password(text) is
  'Password hash (パスワードハッシュ化関数): bcrypt, cost 12. Null stays null; more than 72 bytes are refused (22001).';
comment on function verify_password(text, text) is
  'Password check (パスワード検証関数): true if the password belongs to the hash, false if not or if either is null.';

do $$
begin
  perform aisec_revoke_execute(
    'aisec_revoke_all(regclass[])',
    'aisec_revoke_execute(regprocedure[])',
    'current_user_id()',
    'set_updated_at()',
    'hash_password(text)',
    'verify_password(text, text)'
  );
end
$$;
grant execute on function current_user_id() to authenticated;

-- Down Migration

drop function
  verify_password(text, text),
  hash_password(text),
  set_updated_at(),
  current_user_id(),
  aisec_revoke_execute(regprocedure[]),
  aisec_revoke_all(regclass[]);
