-- Which cached tables do not notify the caches of every change?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  cached.name || '.' || wanted.name as object,
  wanted.name as name,
  cached.name as table_name,
  case
    when trigger.oid is null then pg_catalog.format('table %s has no trigger %s: caches keep rows that have changed', cached.name, wanted.name)
    else pg_catalog.format('trigger %s of %s is not ENABLE ALWAYS: caches keep rows that have changed', wanted.name, cached.name)
  end as message,
  case
    when trigger.oid is not null then pg_catalog.format('alter table %I enable always trigger %I;', cached.name, wanted.name)
  end as fix
from (values ('system_settings'), ('user_preferences'), ('assistants')) as cached (name)
cross join (
  values ('notify_cache_insert'), ('notify_cache_update'), ('notify_cache_delete'), ('notify_cache_truncate')
) as wanted (name)
join pg_catalog.pg_class as class
  on class.oid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', $1::text, cached.name))
left join pg_catalog.pg_trigger as trigger
  on trigger.tgrelid = class.oid
  and trigger.tgname = wanted.name
where pg_catalog.to_regprocedure(pg_catalog.format('%I.aisec_notify_cache()', $1::text)) is not null
  and trigger.tgenabled is distinct from 'A'
order by 1
