-- Which foreign keys do messages have, and does a partition of the archive have the same?
-- Parameters: $1 partition (text, quoted)
-- Columns:    name (on messages), definition, own_name (quoted; null when the partition lacks it), is_valid
-- Needs:      nothing
select
  wanted.conname as name,
  pg_catalog.pg_get_constraintdef(wanted.oid) as definition,
  own.name as own_name,
  coalesce(own.is_valid, false) as is_valid
from pg_catalog.pg_constraint as wanted
left join lateral (
  select
    pg_catalog.quote_ident(present.conname) as name,
    present.convalidated as is_valid
  from pg_catalog.pg_constraint as present
  where present.conrelid = $1::text::regclass
    and present.contype = 'f'
    and pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(present.oid), ' NOT VALID$', '')
      = pg_catalog.pg_get_constraintdef(wanted.oid)
  order by present.convalidated desc
  limit 1
) as own on true
where wanted.conrelid = 'messages'::regclass
  and wanted.contype = 'f'
  and wanted.conparentid = 0
order by wanted.conname
