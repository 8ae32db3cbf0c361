// Generated from sql/client by `npm run build`; edit those files.
/** The queries of sql/client, by name, without their comments. */
export const CLIENT_SQL = {
  'cache-facts': `with tables as (
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
  ) as is_listening`,
  'connection-facts': `with before as materialized (
  select
    pg_catalog.current_setting('datestyle') like 'ISO,%'
    and pg_catalog.current_setting('intervalstyle') = 'postgres'
    and pg_catalog.current_setting('extra_float_digits')::integer > 0 as writes_as_wanted
)
select
  pg_catalog.pg_backend_pid() as pid,
  pg_catalog.current_setting('application_name') as application_name,
  pg_catalog.current_setting('search_path') as search_path,
  before.writes_as_wanted,
  pg_catalog.current_setting('citus.version', true) is not null as runs_citus,
  exists (
    select
    from pg_catalog.pg_proc
    where oid >= 16384
      and (
        prosrc ~ 'pg_(try_)?advisory_lock'
        or prosqlbody::text ~ ':funcid 288[0-36-9] '
      )
  ) as takes_session_locks,
  pg_catalog.set_config('timezone', 'UTC', false) as timezone,
  pg_catalog.set_config('datestyle', 'ISO', false) as datestyle,
  pg_catalog.set_config('intervalstyle', 'postgres', false) as intervalstyle,
  pg_catalog.set_config('extra_float_digits', '1', false) as extra_float_digits
from before`,
  'hide-parameters': `select
  case
    when pg_catalog.has_parameter_privilege('log_parameter_max_length', 'set')
    then pg_catalog.set_config('log_parameter_max_length', '0', true)
  end as log_parameter_max_length`,
  'missing-columns': `with wanted as (
  select
    entry.key as table_name,
    pg_catalog.to_regclass(pg_catalog.quote_ident(entry.key)) as relation,
    entry.value as columns
  from pg_catalog.json_each($1::json) as entry
)
select
  wanted.table_name,
  null::text as column_name
from wanted
where wanted.relation is null
union all
select
  wanted.table_name,
  known.name as column_name
from wanted
cross join pg_catalog.json_array_elements_text(wanted.columns) as known (name)
where wanted.relation is not null
  and not exists (
    select
    from pg_catalog.pg_attribute as attribute
    where attribute.attrelid = wanted.relation
      and attribute.attname = known.name
      and attribute.attnum > 0
      and not attribute.attisdropped
  )
order by table_name, column_name`,
  'restore-settings': `select pg_catalog.set_config(previous.key, previous.value, true)
from pg_catalog.json_each_text($1::json) as previous
where previous.value is not null`,
  'search-settings': `with previous as materialized (
  select pg_catalog.json_object_agg(names.name, pg_catalog.current_setting(names.name, true)) as settings
  from unnest(array['hnsw.iterative_scan', 'ivfflat.iterative_scan', 'hnsw.ef_search', 'ivfflat.probes']) as names (name)
),
settings as materialized (
  select
    previous.settings as previous,
    case when extension.has_iterative_scan then pg_catalog.set_config('hnsw.iterative_scan', 'strict_order', true) end,
    case when extension.has_iterative_scan then pg_catalog.set_config('ivfflat.iterative_scan', 'relaxed_order', true) end,
    case when $1::text is not null then pg_catalog.set_config('hnsw.ef_search', $1, true) end,
    case when $2::text is not null then pg_catalog.set_config('ivfflat.probes', $2, true) end
  from (
    select pg_catalog.string_to_array(extversion, '.')::int[] >= array[0, 8] as has_iterative_scan
    from pg_catalog.pg_extension
    where extname = 'vector'
  ) as extension
  cross join previous
),
own as (
  select id
  from assistants
  limit 1001
)
select
  case
    when pg_catalog.row_security_active('knowledge_base') and (select count(*) from own) <= 1000
    then array(select id::text from own)
  end as assistant_ids,
  settings.previous,
  exists (
    select
    from pg_catalog.pg_index as index
    join pg_catalog.pg_opclass as class on class.oid = index.indclass[0]
    where index.indexrelid = pg_catalog.to_regclass('idx_knowledge_base_embedding')
      and index.indisvalid
      and class.opcname = 'halfvec_cosine_ops'
  ) as is_half,
  pg_catalog.to_regprocedure('find_knowledge(text, uuid[], integer)') is not null as finds_words
from settings`,
  'session-place': `select
  pg_catalog.current_database()::text as database,
  (
    select namespace.nspname::text
    from pg_catalog.pg_class as class
    join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where class.oid = pg_catalog.to_regclass('users')
  ) as schema,
  (
    select namespace.nspname::text
    from pg_catalog.pg_extension as extension
    join pg_catalog.pg_namespace as namespace on namespace.oid = extension.extnamespace
    where extension.extname = 'vector'
  ) as extension_schema`,
  'unknown-types': `with recursive needed (oid) as (
  select given.oid
  from pg_catalog.unnest($1::oid[]) as given (oid)
  union
  select case when type.typtype = 'd' then type.typbasetype else type.typelem end
  from needed
  join pg_catalog.pg_type as type on type.oid = needed.oid
  left join pg_catalog.pg_type as element on element.oid = type.typelem
  where type.typtype = 'd'
    or element.typarray = type.oid
)
select
  type.oid,
  case
    when type.typtype = 'd' then 'domain'
    when element.typarray = type.oid then 'array'
    when type.typname in ('vector', 'halfvec') and exists (
      select
      from pg_catalog.pg_depend as member
      join pg_catalog.pg_extension as extension on extension.oid = member.refobjid
      where member.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
        and member.objid = type.oid
        and member.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        and member.deptype = 'e'
        and extension.extname = 'vector'
    ) then 'vector'
    else 'other'
  end as kind,
  case
    when type.typtype = 'd' then type.typbasetype
    when element.typarray = type.oid then type.typelem
  end as part,
  coalesce(element.typdelim, ',')::text as delimiter
from needed
join pg_catalog.pg_type as type on type.oid = needed.oid
left join pg_catalog.pg_type as element on element.oid = type.typelem`,
} as const;
