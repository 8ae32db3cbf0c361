-- Of which tables would row-level security or a missing privilege keep the role from seeing or deleting rows?
-- Parameters: $1 tables, as SQL (text[]), $2 the privilege that is needed (text): select, or select and delete
-- Columns:    table, reason (policies or privilege)
-- Needs:      nothing
select
  given.name as "table",
  case when pg_catalog.row_security_active(given.name) then 'policies' else 'privilege' end as reason
from pg_catalog.unnest($1::text[]) with ordinality as given (name, place)
where pg_catalog.row_security_active(given.name)
  or exists (
    select
    from pg_catalog.unnest(pg_catalog.string_to_array($2, ' and ')) as needed (privilege)
    where not pg_catalog.has_table_privilege(given.name, needed.privilege)
  )
order by given.place
