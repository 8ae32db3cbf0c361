-- Which of the functions that policies call are worth a word?
-- Parameters: $1 functions (oid[])
-- Columns:    id (int), name (quoted where it has to be), is_immutable
-- Needs:      nothing
-- Those of users, and current_setting; others of PostgreSQL itself cost next to nothing. An immutable one is evaluated when
-- the query is planned, unless it takes a column.
select
  function.oid::int8 as id,
  pg_catalog.quote_ident(function.proname) as name,
  function.provolatile = 'i' as is_immutable
from pg_catalog.pg_proc as function
where function.oid = any ($1::oid[])
  and (function.oid >= 16384 or function.proname = 'current_setting')
