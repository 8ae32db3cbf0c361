-- Which partitions do messages and messages_archive have, and what would keep each from moving to the other root?
-- Parameters: none
-- Columns:    root, relation (quoted), name, isDefault, month (YYYY-MM, null unless the bounds are one month in UTC),
--             lowerBound, upperBound (literals), lowerMs, upperMs (epoch, infinite where there is no bound), isDetachPending,
--             sizeBytes (with indexes and TOAST), rowEstimate (null when never analyzed), isOwned, hasForeignKeys,
--             boundCheck (json: name, isValid; null when there is none), constraintNames (text[]),
--             indexFaults (json: definition, isUnique, brokenIndex), missingChecks (json: name, definition)
-- Needs:      the owner of the schema; time zone UTC
with roots as (
  select 'messages'::regclass as root, 'messages_archive'::regclass as other
  union all
  select 'messages_archive'::regclass, 'messages'::regclass
),
partitions as (
  select
    roots.root,
    roots.other,
    bounds.partition,
    bounds.lower_bound,
    bounds.upper_bound,
    bounds.is_default
  from aisec_message_partition_bounds() as bounds
  join roots on roots.root = bounds.parent
)
select
  root_class.relname as root,
  partitions.partition::text as relation,
  class.relname as name,
  partitions.is_default as "isDefault",
  case
    when pg_catalog.date_trunc('month', partitions.lower_bound) = partitions.lower_bound
      and partitions.upper_bound = partitions.lower_bound + interval '1 month'
      then pg_catalog.to_char(partitions.lower_bound, 'YYYY-MM')
  end as month,
  partitions.lower_bound::text as "lowerBound",
  partitions.upper_bound::text as "upperBound",
  coalesce((extract(epoch from partitions.lower_bound) * 1000)::float8, '-infinity') as "lowerMs",
  coalesce((extract(epoch from partitions.upper_bound) * 1000)::float8, 'infinity') as "upperMs",
  coalesce(inherits.inhdetachpending, false) as "isDetachPending",
  pg_catalog.pg_total_relation_size(partitions.partition)::float8 as "sizeBytes",
  case when class.reltuples >= 0 then class.reltuples::float8 end as "rowEstimate",
  pg_catalog.pg_has_role(class.relowner, 'usage') as "isOwned",
  exists (
    select
    from pg_catalog.pg_constraint as reference
    where reference.conrelid = partitions.partition
      and reference.contype = 'f'
  ) as "hasForeignKeys",
  bound_check.state as "boundCheck",
  array(
    select taken.conname::text
    from pg_catalog.pg_constraint as taken
    where taken.conrelid = partitions.partition
  ) as "constraintNames",
  (
    select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'definition', wanted.definition,
      'isUnique', wanted.indisunique,
      'brokenIndex', (
        select own.indexrelid::regclass::text
        from pg_catalog.pg_index as own
        where own.indrelid = partitions.partition
          and own.indisunique = wanted.indisunique
          and pg_catalog.substring(pg_catalog.pg_get_indexdef(own.indexrelid), ' USING .*$') = wanted.definition
        limit 1
      )
    )), '[]')
    from (
      select
        root_index.indisunique,
        pg_catalog.substring(pg_catalog.pg_get_indexdef(root_index.indexrelid), ' USING .*$') as definition
      from pg_catalog.pg_index as root_index
      where root_index.indrelid = partitions.other
    ) as wanted
    where not exists (
      select
      from pg_catalog.pg_index as own
      where own.indrelid = partitions.partition
        and own.indisvalid
        and own.indisunique = wanted.indisunique
        and pg_catalog.substring(pg_catalog.pg_get_indexdef(own.indexrelid), ' USING .*$') = wanted.definition
    )
  ) as "indexFaults",
  (
    select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', wanted.conname,
      'definition', pg_catalog.pg_get_constraintdef(wanted.oid)
    )), '[]')
    from pg_catalog.pg_constraint as wanted
    where wanted.conrelid = partitions.other
      and wanted.contype = 'c'
      and not exists (
        select
        from pg_catalog.pg_constraint as own
        where own.conrelid = partitions.partition
          and own.contype = 'c'
          and own.conname = wanted.conname
          and pg_catalog.pg_get_constraintdef(own.oid) = pg_catalog.pg_get_constraintdef(wanted.oid)
      )
  ) as "missingChecks"
from partitions
join pg_catalog.pg_class as class on class.oid = partitions.partition
join pg_catalog.pg_class as root_class on root_class.oid = partitions.root
left join pg_catalog.pg_inherits as inherits
  on inherits.inhrelid = partitions.partition
  and inherits.inhparent = partitions.root
left join lateral (
  select pg_catalog.json_build_object('name', own.conname, 'isValid', own.convalidated) as state
  from pg_catalog.pg_constraint as own
  where own.conrelid = partitions.partition
    and own.contype = 'c'
    and pg_catalog.pg_get_expr(own.conbin, own.conrelid) = pg_catalog.format(
      '((created_at >= %L::timestamp with time zone) AND (created_at < %L::timestamp with time zone))',
      partitions.lower_bound,
      partitions.upper_bound
    )
  order by own.convalidated desc
  limit 1
) as bound_check on true
order by partitions.lower_bound, root_class.relname
