-- Which indexes hold nothing that another one does not?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
-- Its columns are the first ones of the other, in the same order and of the same kind, and neither leaves rows out.
select distinct on (own_class.relname)
  own_class.relname::text as object,
  own_class.relname::text as name,
  class.relname::text as table_name,
  pg_catalog.format('index %I of %s is covered by %I', own_class.relname, class.oid::regclass, other_class.relname) as message,
  pg_catalog.format(
    case when class.relkind = 'p' then 'drop index %s;' else E'-- aisec: no-transaction\ndrop index concurrently %s;' end,
    own_class.oid::regclass
  ) as fix
from pg_catalog.pg_index as own
join pg_catalog.pg_index as other
  on other.indrelid = own.indrelid
  and other.indexrelid <> own.indexrelid
join pg_catalog.pg_class as own_class on own_class.oid = own.indexrelid
join pg_catalog.pg_class as other_class on other_class.oid = other.indexrelid
join pg_catalog.pg_class as class on class.oid = own.indrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1::text
  and not class.relispartition
  and own_class.relam = other_class.relam
  and not own.indisunique
  and own.indpred is null
  and other.indpred is null
  and own.indexprs is null
  and other.indexprs is null
  and (other.indkey::int2[])[0:own.indnkeyatts - 1] = (own.indkey::int2[])[0:own.indnkeyatts - 1]
  and (other.indoption::int2[])[0:own.indnkeyatts - 1] = (own.indoption::int2[])[0:own.indnkeyatts - 1]
  and (other.indclass::oid[])[0:own.indnkeyatts - 1] = (own.indclass::oid[])[0:own.indnkeyatts - 1]
  and own.indnatts = own.indnkeyatts
  and (own.indnkeyatts < other.indnkeyatts or other.indisunique or own.indexrelid > other.indexrelid)
order by own_class.relname, other.indisunique desc, other_class.relname
