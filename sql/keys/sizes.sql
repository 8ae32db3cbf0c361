-- How many pages have message_keys and each partition of messages and messages_archive?
-- Parameters: none
-- Columns:    schema, name, pages (double precision, of 8 kB each; without indexes and TOAST)
-- Needs:      nothing; waits for a session that has one of them locked in ACCESS EXCLUSIVE mode
select
  namespace.nspname::text as schema,
  class.relname::text as name,
  pg_catalog.pg_relation_size(class.oid)::float8 / pg_catalog.current_setting('block_size')::integer as pages
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where class.relkind = 'r'
  and (
    class.oid = 'message_keys'::regclass
    or class.oid in (
      select inherits.inhrelid
      from pg_catalog.pg_inherits as inherits
      where inherits.inhparent in ('messages'::regclass, 'messages_archive'::regclass)
    )
  )
