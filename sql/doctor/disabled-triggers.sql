-- Which tables of the schema have disabled triggers?
-- Parameters: $1 schema (text)
-- Columns:    table_name, triggers (text[], made by people), foreign_keys (text[], whose own triggers are off)
-- Needs:      nothing
-- Triggers that fire on a replica alone are meant so. Those of the partitions of messages and messages_archive have a check of their own.
select
  class.relname::text as table_name,
  coalesce(
    pg_catalog.array_agg(distinct trigger.tgname::text) filter (where not trigger.tgisinternal),
    '{}'
  ) as triggers,
  coalesce(
    pg_catalog.array_agg(distinct key.conname::text) filter (where trigger.tgisinternal),
    '{}'
  ) as foreign_keys
from pg_catalog.pg_trigger as trigger
join pg_catalog.pg_class as class on class.oid = trigger.tgrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
left join pg_catalog.pg_constraint as key on key.oid = trigger.tgconstraint
where namespace.nspname = $1
  and trigger.tgenabled = 'D'
  and (not trigger.tgisinternal or key.contype = 'f')
  and not exists (
    select
    from pg_catalog.pg_class as root
    where class.relispartition
      and root.oid = pg_catalog.pg_partition_root(class.oid)
      and root.relname in ('messages', 'messages_archive')
      and root.relnamespace = namespace.oid
  )
group by class.oid, class.relname
order by class.relname
