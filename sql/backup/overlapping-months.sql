-- Which partitions of one table of the platform may have rows of partitions of another?
-- Parameters: $1 the schema, $2 and $3 the tables, which may be missing, all quoted
-- Columns:    name (text): of the first one's, schema and table with a blank between; here, there (text): both, quoted
-- Needs:      nothing
-- A default partition overlaps all.
with partitions as (
  select
    inherits.inhparent as root,
    namespace.nspname || ' ' || class.relname as name,
    pg_catalog.format('%I.%I', namespace.nspname, class.relname) as quoted,
    pg_catalog.tstzrange(
      nullif(found.ends[1], 'MINVALUE')::timestamptz,
      nullif(found.ends[2], 'MAXVALUE')::timestamptz
    ) as range
  from pg_catalog.pg_inherits as inherits
  join pg_catalog.pg_class as class on class.oid = inherits.inhrelid
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  cross join lateral (
    select pg_catalog.regexp_match(
      pg_catalog.pg_get_expr(class.relpartbound, class.oid),
      'FROM \(''?([^'')]+)''?\) TO \(''?([^'')]+)''?\)'
    ) as ends
  ) as found
  where class.relkind in ('r', 'f')
    -- Tables of these names in a schema of others are none of ours.
    and pg_catalog.to_regprocedure($1 || '.aisec_message_partition_bounds()') is not null
)
select
  own.name,
  own.quoted as here,
  other.quoted as there
from partitions as own
join partitions as other on other.range operator(pg_catalog.&&) own.range
where own.root = pg_catalog.to_regclass($1 || '.' || $2)
  and other.root = pg_catalog.to_regclass($1 || '.' || $3)
order by own.name, other.name
