-- Which constraints do the tables of a schema have?
-- Parameters: $1 schema (text)
-- Columns:    table, name, type, definition (without what the next columns have), deferrable, initially_deferred,
--             validated, triggers_disabled (a foreign key that is not enforced), comment
-- Needs:      nothing
-- NOT NULL is in the columns: only PostgreSQL 18 has constraints for it. A foreign key to a partitioned table has
-- a further constraint for each partition (its parent stands on the same table), which says nothing new.
select
  class.relname::text as "table",
  item.conname::text as name,
  case item.contype
    when 'c' then 'check'
    when 'f' then 'foreign key'
    when 'p' then 'primary key'
    when 'u' then 'unique'
    else 'exclude'
  end as type,
  pg_catalog.regexp_replace(
    pg_catalog.pg_get_constraintdef(item.oid, true),
    '( DEFERRABLE)?( INITIALLY DEFERRED)?( NOT VALID)?$',
    ''
  ) as definition,
  item.condeferrable as deferrable,
  item.condeferred as initially_deferred,
  item.convalidated as validated,
  exists (
    select
    from pg_catalog.pg_trigger as enforcing
    where enforcing.tgconstraint = item.oid
      and enforcing.tgisinternal
      and enforcing.tgenabled = 'D'
  ) as triggers_disabled,
  pg_catalog.obj_description(item.oid, 'pg_constraint') as comment
from pg_catalog.pg_constraint as item
join pg_catalog.pg_class as class on class.oid = item.conrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and item.contype in ('c', 'f', 'p', 'u', 'x')
  and not exists (
    select
    from pg_catalog.pg_constraint as whole
    where whole.oid = item.conparentid
      and whole.conrelid = item.conrelid
  )
  and not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and member.objid = class.oid
      and member.objsubid = 0
      and member.deptype = 'e'
  )
order by class.relname, item.conname
