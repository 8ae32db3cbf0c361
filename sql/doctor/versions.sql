-- Which versions of the server and of its extensions are in use, and which vector indexes are there?
-- Parameters: none
-- Columns:    server_version (`17.12`), extensions (json: name, installed, available (null: its files are gone)), vector_indexes (json: name with its schema, kind)
-- Needs:      nothing
select
  pg_catalog.substring(pg_catalog.current_setting('server_version'), '^[0-9.]+') as server_version,
  (
    select coalesce(
      pg_catalog.json_agg(
        pg_catalog.json_build_object(
          'name', extension.extname,
          'installed', extension.extversion,
          'available', available.default_version
        )
        order by extension.extname
      ),
      '[]'
    )
    from pg_catalog.pg_extension as extension
    left join pg_catalog.pg_available_extensions as available on available.name = extension.extname
  ) as extensions,
  (
    select coalesce(
      pg_catalog.json_agg(
        pg_catalog.json_build_object(
          'name', pg_catalog.format('%I.%I', namespace.nspname, class.relname),
          'kind', method.amname
        )
        order by namespace.nspname, class.relname
      ),
      '[]'
    )
    from pg_catalog.pg_class as class
    join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    join pg_catalog.pg_am as method on method.oid = class.relam
    where class.relkind in ('i', 'I')
      and method.amname in ('hnsw', 'ivfflat')
  ) as vector_indexes
