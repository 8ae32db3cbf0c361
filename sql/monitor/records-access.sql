-- Are the tables of the size records there, and what may this role do with them?
-- Parameters: $1 schema (text)
-- Columns:    is_there, can_read, can_write; role_name (quoted as SQL takes it)
-- Needs:      nothing
select
  pg_catalog.count(*) = 2 as is_there,
  coalesce(pg_catalog.bool_and(pg_catalog.has_table_privilege(class.oid, 'select')), false) as can_read,
  coalesce(pg_catalog.bool_and(pg_catalog.has_table_privilege(class.oid, 'select, insert, delete')), false) as can_write,
  pg_catalog.quote_ident(current_user) as role_name
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and class.relname in ('size_records', 'size_record_tables')
  and class.relkind = 'r'
