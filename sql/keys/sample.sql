-- Which keys of messages are there, a few of each month?
-- Parameters: $1 share of the pages to read (real, percent), $2 keys of a month at most (bigint), $3 months at most (bigint)
-- Columns:    month (text, YYYY-MM, in UTC), ids (text[])
-- Needs:      to read message_keys, past row-level security
-- Dates outside of the years 1 to 9999 have no month.
select
  sampled.month,
  pg_catalog.array_agg(sampled.id::text) as ids
from (
  select
    pg_catalog.to_char(created_at at time zone 'UTC', 'YYYY-MM') as month,
    id,
    pg_catalog.row_number() over (
      partition by pg_catalog.to_char(created_at at time zone 'UTC', 'YYYY-MM')
      order by pg_catalog.random()
    ) as position
  from message_keys tablesample system ($1::real)
  where created_at >= '0001-01-01 00:00:00+00'
    and created_at < '10000-01-01 00:00:00+00'
) as sampled
where sampled.position <= $2::bigint
group by sampled.month
order by sampled.month desc
limit $3::bigint
