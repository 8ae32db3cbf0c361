-- Which partitions do messages and messages_archive have, and which range does each cover?
-- Parameters: $1 schema (text)
-- Columns:    root; isMigrated (the root is a partitioned table), canEnsure (the function that makes months is there),
--             currentMonth (YYYY-MM in UTC by the server's clock); schema, name (of a partition; both null: the root has
--             none), isDefault, lowerBound and upperBound (RFC 3339 in UTC, -infinity, infinity; null for a default
--             partition), isDetachPending
-- Needs:      nothing
-- pg_get_expr is given no relation: with one, it would wait for a session that has that partition locked. The literals it
-- prints are in the time zone and date style of the session, which then read them again.
with roots as (
  select
    root.name,
    root.position,
    namespace.oid as namespace_oid,
    class.oid
  from pg_catalog.unnest(array['messages', 'messages_archive']) with ordinality as root (name, position)
  left join pg_catalog.pg_namespace as namespace on namespace.nspname = $1
  left join pg_catalog.pg_class as class
    on class.relnamespace = namespace.oid
    and class.relname = root.name
    and class.relkind = 'p'
),
partitions as materialized (
  select
    inherits.inhparent,
    inherits.inhdetachpending,
    class.relname,
    namespace.nspname,
    pg_catalog.pg_get_expr(class.relpartbound, 0) as bound
  from pg_catalog.pg_inherits as inherits
  join pg_catalog.pg_class as class on class.oid = inherits.inhrelid
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where inherits.inhparent in (select oid from roots)
),
ranges as materialized (
  select
    partitions.*,
    case
      when bound = 'DEFAULT' then null
      when bound like '%FROM (MINVALUE)%' then '-infinity'
      else pg_catalog.split_part(bound, '''', 2)::timestamptz
    end as lower_bound,
    case
      when bound = 'DEFAULT' then null
      when bound like '%TO (MAXVALUE)%' then 'infinity'
      when bound like '%FROM (MINVALUE)%' then pg_catalog.split_part(bound, '''', 2)::timestamptz
      else pg_catalog.split_part(bound, '''', 4)::timestamptz
    end as upper_bound
  from partitions
)
select
  roots.name as root,
  roots.oid is not null as "isMigrated",
  exists (
    select
    from pg_catalog.pg_proc as function
    where function.pronamespace = roots.namespace_oid
      and function.proname = 'aisec_make_message_partitions'
  ) as "canEnsure",
  pg_catalog.to_char(pg_catalog.now() at time zone 'UTC', 'YYYY-MM') as "currentMonth",
  ranges.nspname::text as schema,
  ranges.relname::text as name,
  coalesce(ranges.bound = 'DEFAULT', false) as "isDefault",
  case
    when pg_catalog.isfinite(ranges.lower_bound)
      then pg_catalog.replace(
        pg_catalog.to_char(ranges.lower_bound at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', ''
      )
    else ranges.lower_bound::text
  end as "lowerBound",
  case
    when pg_catalog.isfinite(ranges.upper_bound)
      then pg_catalog.replace(
        pg_catalog.to_char(ranges.upper_bound at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', ''
      )
    else ranges.upper_bound::text
  end as "upperBound",
  coalesce(ranges.inhdetachpending, false) as "isDetachPending"
from roots
left join ranges on ranges.inhparent = roots.oid
order by roots.position, ranges.lower_bound, ranges.relname
