-- Which columns do tables have, and what do their comments say?
-- Parameters: $1 text[]: tables as SQL, each name quoted
-- Columns:    schema, table, column, position, type (as SQL prints it), base (the type below domains and arrays),
--             category (of that type: pg_type.typcategory), is_array, is_nullable, is_generated, is_key (part of a unique
--             index or of a foreign key, on either side), sequence (of an identity or serial column, quoted; else null),
--             comment
-- Needs:      nothing
with recursive wanted as (
  select class.oid, namespace.nspname, class.relname
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where class.relkind in ('r', 'p')
    and '"' || pg_catalog.replace(namespace.nspname, '"', '""') || '"."' || pg_catalog.replace(class.relname, '"', '""') || '"'
      = any ($1::text[])
),
below (origin, oid, is_array) as (
  select distinct attribute.atttypid, attribute.atttypid, false
  from wanted
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = wanted.oid and attribute.attnum > 0
  union all
  select
    below.origin,
    case type.typtype when 'd' then type.typbasetype else type.typelem end,
    below.is_array or type.typcategory = 'A'
  from below
  join pg_catalog.pg_type as type on type.oid = below.oid
  where type.typtype = 'd' or (type.typcategory = 'A' and type.typelem <> 0)
),
base as (
  select below.origin, type.typname, type.typcategory, below.is_array
  from below
  join pg_catalog.pg_type as type on type.oid = below.oid
  where not (type.typtype = 'd' or (type.typcategory = 'A' and type.typelem <> 0))
),
keys as (
  select depend.refobjid as oid, depend.refobjsubid as number
  from pg_catalog.pg_index as index
  join pg_catalog.pg_depend as depend
    on depend.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and depend.objid = index.indexrelid
  where index.indisunique and depend.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  union
  select index.indrelid, number
  from pg_catalog.pg_index as index, pg_catalog.unnest(index.indkey::smallint[]) as number
  where index.indisunique
  union
  select item.conrelid, number
  from pg_catalog.pg_constraint as item, pg_catalog.unnest(item.conkey) as number
  where item.contype = 'f'
  union
  select item.confrelid, number
  from pg_catalog.pg_constraint as item, pg_catalog.unnest(item.confkey) as number
  where item.contype = 'f'
)
select
  wanted.nspname::text as schema,
  wanted.relname::text as "table",
  attribute.attname::text as column,
  attribute.attnum::integer as position,
  pg_catalog.format_type(attribute.atttypid, attribute.atttypmod) as type,
  base.typname::text as base,
  base.typcategory::text as category,
  base.is_array,
  not attribute.attnotnull as is_nullable,
  attribute.attgenerated <> '' as is_generated,
  exists (select from keys where keys.oid = wanted.oid and keys.number = attribute.attnum) as is_key,
  pg_catalog.pg_get_serial_sequence(
    pg_catalog.format('%I.%I', wanted.nspname, wanted.relname), attribute.attname
  ) as sequence,
  pg_catalog.col_description(wanted.oid, attribute.attnum) as comment
from wanted
join pg_catalog.pg_attribute as attribute
  on attribute.attrelid = wanted.oid and attribute.attnum > 0 and not attribute.attisdropped
join base on base.origin = attribute.atttypid
order by 1, 2, 4
