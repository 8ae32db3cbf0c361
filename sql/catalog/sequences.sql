-- Which sequences does a schema have? Where a sequence stands is data, not structure.
-- Parameters: $1 schema (text)
-- Columns:    name, type, start, increment, minimum, maximum, cache (text, since they exceed JavaScript's numbers),
--             cycle, table and column (that own it), comment
-- Needs:      nothing
select
  class.relname::text as name,
  pg_catalog.format_type(sequence.seqtypid, null) as type,
  sequence.seqstart::text as start,
  sequence.seqincrement::text as increment,
  sequence.seqmin::text as minimum,
  sequence.seqmax::text as maximum,
  sequence.seqcache::text as cache,
  sequence.seqcycle as cycle,
  owner_class.relname::text as "table",
  owner_column.attname::text as "column",
  pg_catalog.obj_description(class.oid, 'pg_class') as comment
from pg_catalog.pg_sequence as sequence
join pg_catalog.pg_class as class on class.oid = sequence.seqrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
left join pg_catalog.pg_depend as owner
  on owner.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and owner.objid = class.oid
  and owner.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and owner.deptype in ('a', 'i')
left join pg_catalog.pg_class as owner_class on owner_class.oid = owner.refobjid
left join pg_catalog.pg_attribute as owner_column
  on owner_column.attrelid = owner.refobjid
  and owner_column.attnum = owner.refobjsubid
where namespace.nspname = $1
  and not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and member.objid = class.oid
      and member.deptype = 'e'
  )
order by class.relname
