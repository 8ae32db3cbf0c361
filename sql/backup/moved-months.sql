-- Which of these names have indexes of the partitions of another table of the platform?
-- Parameters: $1 the schema, $2 the other table, which may be missing, both quoted; $3 names
-- Columns:    place (integer): of the name in $3, from 1
-- Needs:      nothing
select distinct wanted.place::integer
from pg_catalog.unnest($3::text[]) with ordinality as wanted (name, place)
join pg_catalog.pg_class as class
  on class.relnamespace = pg_catalog.to_regnamespace($1)
  and class.relname = wanted.name
join pg_catalog.pg_index as index on index.indexrelid = class.oid
join pg_catalog.pg_inherits as inherits
  on inherits.inhrelid = index.indrelid
  and inherits.inhparent = pg_catalog.to_regclass($1 || '.' || $2)
-- Tables of these names in a schema of others are none of ours.
where pg_catalog.to_regprocedure($1 || '.aisec_message_partition_bounds()') is not null
