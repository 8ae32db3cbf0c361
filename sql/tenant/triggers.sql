-- Which triggers do the tables of a schema have, partitions left out, and when do they fire?
-- Parameters: $1 schema (text)
-- Columns:    table_name (text), trigger_name (text), state (text: O origin, A always, R replica, D disabled), is_notification (it announces
--             changes to caches)
-- Needs:      nothing
select
  class.relname::text as table_name,
  trigger.tgname::text as trigger_name,
  trigger.tgenabled::text as state,
  function.proname = 'aisec_notify_cache' and function.pronamespace = class.relnamespace as is_notification
from pg_catalog.pg_trigger as trigger
join pg_catalog.pg_class as class on class.oid = trigger.tgrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_catalog.pg_proc as function on function.oid = trigger.tgfoid
where namespace.nspname = $1
  and not trigger.tgisinternal
  and not class.relispartition
order by class.relname, trigger.tgname
