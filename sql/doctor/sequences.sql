-- How far has each sequence of the schema come?
-- Parameters: $1 schema (text)
-- Columns:    name, is_readable (this role may see its value), type (integer ...), used (float8, 0 to 1, of what the
--             sequence and its column allow; null when never used or not readable), table_name, column_name, column_type
--             (null without a column)
-- Needs:      SELECT or USAGE on the sequence for `used`
select
  class.relname::text as name,
  pg_catalog.has_sequence_privilege(class.oid, 'usage, select') as is_readable,
  pg_catalog.format_type(sequence.seqtypid, null) as type,
  case
    when pg_catalog.has_sequence_privilege(class.oid, 'usage, select') and sequence.seqincrement > 0
      then (pg_catalog.pg_sequence_last_value(class.oid) - least(sequence.seqmin, 1))::float8
        / greatest(
          1,
          least(
            sequence.seqmax,
            case attribute.atttypid
              when 'int2'::pg_catalog.regtype then 32767
              when 'int4'::pg_catalog.regtype then 2147483647
              else 9223372036854775807
            end
          )::float8 - least(sequence.seqmin, 1)
        )
  end as used,
  table_class.relname::text as table_name,
  attribute.attname::text as column_name,
  pg_catalog.format_type(attribute.atttypid, null) as column_type
from pg_catalog.pg_sequence as sequence
join pg_catalog.pg_class as class on class.oid = sequence.seqrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
left join pg_catalog.pg_depend as depend
  on depend.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and depend.objid = class.oid
  and depend.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and depend.deptype in ('a', 'i')
left join pg_catalog.pg_class as table_class on table_class.oid = depend.refobjid
left join pg_catalog.pg_attribute as attribute
  on attribute.attrelid = depend.refobjid
  and attribute.attnum = depend.refobjsubid
where namespace.nspname = $1
  and not sequence.seqcycle
order by class.relname
