-- What parts of the rows of a table came in each third of its last 90 days, as the statistics have it?
-- Parameters: $1 schema (text), $2 tables (text[])
-- Columns:    table_name; days of a third (30, or less when the table is younger); shares of its rows, the oldest third
--             first; share_error, by how much each may be off
-- Needs:      SELECT on the tables; of others nothing is returned
with columns as (
  select
    stats.tablename::text as table_name,
    stats.histogram_bounds::text::timestamptz[] as bounds,
    stats.most_common_vals::text::timestamptz[] as common_values,
    stats.most_common_freqs as common_shares,
    coalesce(greatest(counters.last_analyze, counters.last_autoanalyze), pg_catalog.now()) as analyzed_at
  from pg_catalog.pg_stats as stats
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', stats.schemaname, stats.tablename))
    and attribute.attname = stats.attname
    and attribute.atttypid = 'timestamptz'::pg_catalog.regtype
  left join pg_catalog.pg_stat_all_tables as counters on counters.relid = attribute.attrelid
  where stats.schemaname = $1
    and stats.tablename = any ($2)
    and stats.attname = 'created_at'
    and not stats.inherited
),
-- Each value with its part of the rows: those of the histogram share what the common ones leave.
shares as (
  select
    table_name,
    analyzed_at,
    value,
    share::double precision as share,
    0::double precision as share_error
  from columns
  cross join lateral rows from (
    pg_catalog.unnest(common_values),
    pg_catalog.unnest(common_shares)
  ) as common (value, share)
  union all
  select
    table_name,
    analyzed_at,
    bound,
    rest / pg_catalog.array_length(bounds, 1),
    rest / pg_catalog.array_length(bounds, 1)
  from columns
  cross join lateral (
    select 1 - coalesce(pg_catalog.sum(share), 0)::double precision as rest
    from pg_catalog.unnest(common_shares) as share
  ) as left_over
  cross join pg_catalog.unnest(bounds) as bound
),
windows as (
  select
    table_name,
    pg_catalog.max(share_error) as share_error,
    greatest(pg_catalog.min(value), pg_catalog.min(analyzed_at) - interval '90 days') as begins_at,
    pg_catalog.min(analyzed_at) as ends_at
  from shares
  group by table_name
)
select
  windows.table_name,
  extract(epoch from windows.ends_at - windows.begins_at)::double precision / 3 / 86400 as days,
  array[
    coalesce(pg_catalog.sum(share) filter (where third = 1), 0),
    coalesce(pg_catalog.sum(share) filter (where third = 2), 0),
    coalesce(pg_catalog.sum(share) filter (where third >= 3), 0)
  ] as shares,
  windows.share_error
from windows
join shares on shares.table_name = windows.table_name and shares.value >= windows.begins_at
cross join lateral (
  select pg_catalog.width_bucket(
    extract(epoch from shares.value)::double precision,
    extract(epoch from windows.begins_at)::double precision,
    extract(epoch from windows.ends_at)::double precision,
    3
  ) as third
) as thirds
where windows.ends_at > windows.begins_at
group by windows.table_name, windows.begins_at, windows.ends_at, windows.share_error
order by windows.table_name
