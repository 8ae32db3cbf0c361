-- Every table that holds rows of its own, partitions among them; not those of PostgreSQL and of extensions.
-- Columns: oid, schema, table, columns (names in their order, without what PostgreSQL computes itself), is_filtered
--          (policies would hide rows from the session's role), is_readable, is_unlogged, pages (with those of TOAST, as
--          VACUUM or ANALYZE last counted them: pg_table_size would wait for the lock of another session).
-- Role: any.
select
  pg_class.oid::text as oid,
  nspname::text as schema,
  relname::text as "table",
  array(
    select attname::text
    from pg_catalog.pg_attribute
    where attrelid = pg_class.oid
      and attnum > 0
      and not attisdropped
      and attgenerated = ''
    order by attnum
  ) as columns,
  pg_catalog.row_security_active(pg_class.oid) as is_filtered,
  pg_catalog.has_table_privilege(pg_class.oid, 'select')
    and pg_catalog.has_schema_privilege(relnamespace, 'usage') as is_readable,
  relpersistence = 'u' as is_unlogged,
  relpages + coalesce(
    (
      select toast.relpages
      from pg_catalog.pg_class as toast
      where toast.oid = pg_class.reltoastrelid
    ),
    0
  ) as pages
from pg_catalog.pg_class
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where relkind = 'r'
  and relpersistence <> 't'
  and nspname !~ '^pg_'
  and nspname <> 'information_schema'
  and not exists (
    select
    from pg_catalog.pg_depend
    where classid = 'pg_catalog.pg_class'::regclass
      and objid = pg_class.oid
      and deptype = 'e'
  )
order by nspname, relname
