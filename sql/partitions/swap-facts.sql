-- What is to be named how when the copy of the rest takes the place of the default partition?
-- Parameters: $1 default partition, $2 copy of the rest (text, quoted names)
-- Columns:    drained (name that the default partition gets), comment (of the default partition),
--             index_names (json: name (of an index of the default partition), drained (the name it gets), copy (the index
--             of the rest that takes its name; null when there is none like it))
-- Needs:      nothing
-- Indexes are alike when their definitions are, but for the names in them.
with indexes as materialized (
  select
    index.indrelid,
    index.indexrelid,
    class.relname,
    pg_catalog.substring(pg_catalog.pg_get_indexdef(index.indexrelid), ' USING .*$') as method,
    index.indisunique,
    index.indisprimary,
    pg_catalog.row_number() over (
      partition by
        index.indrelid,
        pg_catalog.substring(pg_catalog.pg_get_indexdef(index.indexrelid), ' USING .*$'),
        index.indisunique,
        index.indisprimary
      order by index.indexrelid
    ) as position
  from pg_catalog.pg_index as index
  join pg_catalog.pg_class as class on class.oid = index.indexrelid
  where index.indrelid in ($1::regclass, $2::regclass)
),
names as (
  select free.name
  from pg_catalog.generate_series(0, 3600) as later (seconds)
  cross join lateral (
    select pg_catalog.to_char(
      pg_catalog.clock_timestamp() at time zone 'UTC' + later.seconds * interval '1 second',
      '"messages_default_drained_"YYYYMMDDHH24MISS'
    ) as name
  ) as free
  where not exists (
    select
    from pg_catalog.pg_class as taken
    join pg_catalog.pg_class as source on source.relnamespace = taken.relnamespace
    where source.oid = $1::regclass
      and taken.relname = free.name
  )
  order by later.seconds
  limit 1
)
select
  names.name as drained,
  pg_catalog.obj_description($1::regclass, 'pg_class') as comment,
  (
    select coalesce(
      pg_catalog.json_agg(
        pg_catalog.json_build_object(
          'name', waiting.relname,
          'drained', names.name || '_' || waiting.number,
          'copy', copied.relname
        )
        order by waiting.number
      ),
      '[]'
    )
    from (
      select indexes.*, pg_catalog.row_number() over (order by indexes.indexrelid) as number
      from indexes
      where indexes.indrelid = $1::regclass
    ) as waiting
    left join indexes as copied
      on copied.indrelid = $2::regclass
      and copied.method = waiting.method
      and copied.indisunique = waiting.indisunique
      and copied.indisprimary = waiting.indisprimary
      and copied.position = waiting.position
  ) as index_names
from names
