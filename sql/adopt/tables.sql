-- How large are the tables of a schema, and does this role own them?
-- Parameters: $1 schema (text)
-- Columns:    name, is_owned (the role has the privileges of the owner), owner, row_estimate (float8), bytes (float8)
-- Needs:      nothing
select
  class.relname::text as name,
  pg_catalog.pg_has_role(current_user, class.relowner, 'usage') as is_owned,
  pg_catalog.pg_get_userbyid(class.relowner)::text as owner,
  greatest(
    class.reltuples,
    -- Never analyzed: a row takes about 200 bytes.
    case when class.reltuples < 0 then pg_catalog.pg_relation_size(class.oid) / 200 else 0 end
  )::float8 as row_estimate,
  pg_catalog.pg_total_relation_size(class.oid)::float8 as bytes
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and class.relkind in ('r', 'p')
order by class.relname
