-- Extensions and the role every application session runs as.
--
-- vector holds the embeddings of knowledge_base, pgcrypto hashes passwords. The role authenticated has no login of its
-- own: a service's login role is granted it and switches to it, which is what the row level security policies apply to.

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

-- Down Migration

-- The extensions and the role stay: other schemas and databases may use them.
do $$
begin
  execute format('revoke usage on schema %I from authenticated', current_schema());
end
$$;
