-- Extensions and the role every application session runs as.
--
-- vector holds the embeddings of knowledge_base, pgcrypto hashes passwords. The role authenticated has no login of its
-- own: a service's login role is granted it and switches to it. The policies of row-level security are for this role.

-- Up Migration

do $$
declare
  extension_schema name;
begin
  -- The search path names the target schema first and the schema of the extensions last, before pg_temp.
  select s.name
    into extension_schema
    from unnest(current_schemas(false)) with ordinality as s (name, position)
   where s.name not like 'pg\_temp%'
   order by s.position desc
   limit 1;

  execute format('create extension if not exists vector with schema %I', extension_schema);
  execute format('create extension if not exists pgcrypto with schema %I', extension_schema);
end
$$;

-- A role belongs to the whole server: another database may be creating it at this moment, and CREATE ROLE has no
-- IF NOT EXISTS. Depending on who is ahead, the loser sees duplicate_object or unique_violation.
do $$
begin
  if not exists (select from pg_roles where rolname = 'authenticated') then
    create role authenticated nologin;
  end if;
exception
  when duplicate_object or unique_violation then
    null;
end
$$;

do $$
begin
  execute format('grant usage on schema %I to authenticated', current_schema());
end
$$;

-- A temporary table stays with the session, which a pool hands to the next user, and hides the table of the same name.
-- The owner of the database keeps the privilege.
do $$
begin
  if exists (
    select
      from pg_database d
     where d.datname = current_database()
       and pg_has_role(current_user, d.datdba, 'usage')
  ) then
    execute format('revoke temporary on database %I from public', current_database());
  elsif has_database_privilege('authenticated', current_database(), 'temporary') then
    raise notice 'TEMPORARY on database "%" was not revoked from PUBLIC: role "%" does not own the database',
      current_database(), current_user
      using
        detail = 'Role authenticated can create temporary tables, which a pooled connection keeps for its next user.',
        hint = format('As the owner, run: revoke temporary on database %I from public;', current_database());
  end if;
end
$$;

-- Down Migration

-- The extensions and the role stay: other schemas and databases may use them.
do $$
begin
  execute format('revoke usage on schema %I from authenticated', current_schema());
end
$$;

-- PostgreSQL's default again, unless another schema of this database holds the platform, too.
do $$
begin
  if not exists (select from pg_proc f where f.proname = 'aisec_revoke_all')
    and exists (
      select
        from pg_database d
       where d.datname = current_database()
         and pg_has_role(current_user, d.datdba, 'usage')
    )
  then
    execute format('grant temporary on database %I to public', current_database());
  end if;
end
$$;
