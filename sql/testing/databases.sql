-- Which databases did aisec/testing make, as seen from this one, and what is this one's number?
-- Parameters: none
-- Columns:    home (oid of the database of this session), name (null: none was made), is_template (a finished template),
--             used_days_ago (of a template, null: not known)
-- Needs:      nothing
select
  home.oid::text as home,
  made.datname::text as name,
  made.datistemplate as is_template,
  current_date - substring(
    pg_catalog.shobj_description(made.oid, 'pg_database') from '\d{4}-\d{2}-\d{2}'
  )::date as used_days_ago
from pg_catalog.pg_database as home
left join pg_catalog.pg_database as made on pg_catalog.starts_with(made.datname, 'aisec_testing_' || home.oid || '_')
where home.datname = pg_catalog.current_database()
