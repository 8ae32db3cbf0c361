-- Which foreign keys point to messages, its own included?
-- Parameters: $1 messages, with its schema, quoted (text)
-- Columns:    table (text, quoted and with its schema where the search_path needs it), name (text, quoted), definition,
--             is_to_id (the one column id)
-- Needs:      nothing
select
  item.conrelid::pg_catalog.regclass::text as "table",
  pg_catalog.quote_ident(item.conname) as name,
  pg_catalog.pg_get_constraintdef(item.oid) as definition,
  (
    select pg_catalog.array_agg(attribute.attname::text)
    from pg_catalog.pg_attribute as attribute
    where attribute.attrelid = item.confrelid
      and attribute.attnum = any (item.confkey)
  ) = array['id'] as is_to_id
from pg_catalog.pg_constraint as item
where item.contype = 'f'
  and item.confrelid = $1::pg_catalog.regclass
  and item.conparentid = 0
order by 1, 2
