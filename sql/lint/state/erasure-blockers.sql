-- Which foreign keys keep a user from being deleted?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
-- From users down along ON DELETE CASCADE; a key without an action at the end of that way stops the whole deletion.
with recursive reached (oid) as (
  select pg_catalog.to_regclass(pg_catalog.format('%I.users', $1::text))::oid
  union
  select key.conrelid
  from reached
  join pg_catalog.pg_constraint as key on key.confrelid = reached.oid
  where key.contype = 'f'
    and key.confdeltype = 'c'
    and key.conparentid = 0
)
select
  key.conname::text as object,
  key.conname::text as name,
  class.relname::text as table_name,
  pg_catalog.format('foreign key %I of %s keeps the rows of a user from being deleted', key.conname, class.oid::regclass) as message,
  pg_catalog.format(
    'alter table %s drop constraint %I, add constraint %I %s on delete cascade not valid;',
    class.oid::regclass,
    key.conname,
    key.conname,
    pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(key.oid), ' (ON DELETE|NOT VALID).*$', '')
  ) as fix
from reached
join pg_catalog.pg_constraint as key on key.confrelid = reached.oid
join pg_catalog.pg_class as class on class.oid = key.conrelid
where key.contype = 'f'
  and key.confdeltype in ('a', 'r')
  and key.conparentid = 0
  and not class.relispartition
order by 1
