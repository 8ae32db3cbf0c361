-- May rows of the read-mostly tables be cached, and in which shape are they?
-- Parameters: $1 schema (text; null: by the search_path)
-- Columns:    channel (text, null when the tables are not there), announces_changes (boolean: the triggers notify_cache_…
--             exist and are enabled), stamp (text: changes whenever a column of the three tables does), pid (integer, of
--             the session that answers), is_listening (boolean: LISTEN for the channel is in force in it)
-- Needs:      nothing
with tables as (
  select class.oid, class.relname, class.relnamespace
  from unnest(array['system_settings', 'user_preferences', 'assistants']) as wanted (name)
  join pg_catalog.pg_class as class
    on class.oid = pg_catalog.to_regclass(
      pg_catalog.concat_ws('.', pg_catalog.quote_ident($1), wanted.name)
    )
)
select
  (
    select 'aisec_cache_' || tables.relnamespace
    from tables
    where tables.relname = 'system_settings'
  ) as channel,
  (
    select count(*) = 12
    from pg_catalog.pg_trigger as trigger
    join tables on tables.oid = trigger.tgrelid
    where trigger.tgname in (
        'notify_cache_insert', 'notify_cache_update', 'notify_cache_delete', 'notify_cache_truncate'
      )
      and trigger.tgenabled in ('O', 'A')
  ) as announces_changes,
  (
    select pg_catalog.md5(
      pg_catalog.string_agg(
        pg_catalog.concat_ws(' ', tables.relname, attribute.attname, attribute.atttypid),
        ',' order by tables.relname, attribute.attnum
      )
    )
    from tables
    join pg_catalog.pg_attribute as attribute on attribute.attrelid = tables.oid
    where attribute.attnum > 0
      and not attribute.attisdropped
  ) as stamp,
  pg_catalog.pg_backend_pid() as pid,
  exists (
    select
    from pg_catalog.pg_listening_channels() as listening (channel)
    join tables on tables.relname = 'system_settings'
    where listening.channel = 'aisec_cache_' || tables.relnamespace
  ) as is_listening
