-- What does Citus know of a schema?
-- Parameters: $1 schema (text)
-- Columns:    version (text, of the extension), is_coordinator, is_distributed (the schema is one of a tenant of Citus), is_there (the schema),
--             is_awaited (aisec made it, to be distributed when it is complete), has_relations,
--             distributes_new (new schemas of this role in this database become distributed), workers (integer: nodes that take tenants),
--             role_logs_in (role authenticated may log in, as it has to on the nodes; null: there is no such role)
-- Needs:      the extension citus
select
  (select extversion from pg_catalog.pg_extension where extname = 'citus') as version,
  pg_catalog.citus_is_coordinator() as is_coordinator,
  exists (
    select
    from pg_catalog.pg_dist_schema as distributed
    join pg_catalog.pg_namespace as namespace on namespace.oid = distributed.schemaid
    where namespace.nspname = $1
  ) as is_distributed,
  pg_catalog.to_regnamespace(pg_catalog.quote_ident($1)) is not null as is_there,
  coalesce(
    pg_catalog.obj_description(pg_catalog.to_regnamespace(pg_catalog.quote_ident($1))::oid, 'pg_namespace')
      = 'aisec: to be distributed',
    false
  ) as is_awaited,
  exists (
    select
    from pg_catalog.pg_class as class
    join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where namespace.nspname = $1
  ) as has_relations,
  (
    -- What the session itself has set is not asked.
    select reset_val = 'on'
    from pg_catalog.pg_settings
    where name = 'citus.enable_schema_based_sharding'
  ) as distributes_new,
  (
    select pg_catalog.count(*)::integer
    from pg_catalog.pg_dist_node
    where noderole = 'primary' and isactive and shouldhaveshards
  ) as workers,
  (select rolcanlogin from pg_catalog.pg_roles where rolname = 'authenticated') as role_logs_in
