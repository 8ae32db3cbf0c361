-- Which types of its own does a schema have? Those that come with a table, an array or an extension left out.
-- Parameters: $1 schema (text)
-- Columns:    name, kind (enum, domain, composite type, range, base type), definition (text[]: the labels of an enum;
--             type, default and constraints of a domain; the attributes of a composite type; the subtype of a range),
--             comment
-- Needs:      nothing
select
  type.typname::text as name,
  case type.typtype
    when 'e' then 'enum'
    when 'd' then 'domain'
    when 'c' then 'composite type'
    when 'r' then 'range'
    else 'base type'
  end as kind,
  case type.typtype
    when 'e' then array(
      select label.enumlabel::text
      from pg_catalog.pg_enum as label
      where label.enumtypid = type.oid
      order by label.enumsortorder
    )
    when 'd' then
      array[pg_catalog.format_type(type.typbasetype, type.typtypmod)]
      || case when type.typnotnull then array['not null'] end
      || case
        when type.typdefaultbin is not null then array['default ' || pg_catalog.pg_get_expr(type.typdefaultbin, 0)]
      end
      || array(
        select item.conname::text || ' ' || pg_catalog.pg_get_constraintdef(item.oid, true)
        from pg_catalog.pg_constraint as item
        where item.contypid = type.oid
          and item.contype = 'c'
        order by item.conname
      )
    when 'c' then array(
      select attribute.attname::text || ' ' || pg_catalog.format_type(attribute.atttypid, attribute.atttypmod)
      from pg_catalog.pg_attribute as attribute
      where attribute.attrelid = type.typrelid
        and attribute.attnum > 0
        and not attribute.attisdropped
      order by attribute.attnum
    )
    when 'r' then array(
      select pg_catalog.format_type(range.rngsubtype, null)
      from pg_catalog.pg_range as range
      where range.rngtypid = type.oid
    )
    else '{}'::text[]
  end as definition,
  pg_catalog.obj_description(type.oid, 'pg_type') as comment
from pg_catalog.pg_type as type
join pg_catalog.pg_namespace as namespace on namespace.oid = type.typnamespace
left join pg_catalog.pg_class as class on class.oid = type.typrelid
where namespace.nspname = $1
  and type.typtype in ('e', 'd', 'c', 'r', 'b')
  and (type.typtype <> 'c' or class.relkind = 'c')
  and type.typcategory <> 'A'
  and not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
      and member.objid = type.oid
      and member.deptype = 'e'
  )
order by type.typname
