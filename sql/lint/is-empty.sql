-- Has nothing been made in this database?
-- Parameters: none
-- Columns:    is_empty
-- Needs:      nothing
select
  not exists (
    select
    from pg_catalog.pg_class
    where oid >= 16384
  )
  and not exists (
    select
    from pg_catalog.pg_proc
    where oid >= 16384
  )
  and not exists (
    select
    from pg_catalog.pg_extension
    where oid >= 16384
  ) as is_empty
