-- Of which types are the columns of the tables and views of a schema, once domains and arrays are resolved?
-- Parameters: $1 schema (text)
-- Columns:    relation, name, printed (as format_type prints the type of a value or an element), base (name of that type),
--             origin (pg_catalog, extension, own), kind (base, enum, composite, range, multirange), length (of bit and char,
--             dimensions of a vector; null: none), dimensions (how deep arrays are nested, 0: no array),
--             isWrittenAsText (an array that the driver cannot write: elements apart by another sign than a comma, or
--             themselves domains of arrays), labels (text[], of an enum), isExact (equal texts are the same text), domainNotNull,
--             domainHasDefault, domainChecks (text[], of domains that are not those of elements)
-- Needs:      nothing
with recursive step as (
  select
    class.relname::text as relation,
    attribute.attname::text as name,
    attribute.attcollation as sort_order,
    attribute.atttypid as type,
    attribute.atttypmod as modifier,
    attribute.attndims::integer as declared,
    0 as dimensions,
    false as is_nested,
    '{}'::oid[] as domains
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
  where namespace.nspname = $1
    and class.relkind in ('r', 'p', 'f', 'v', 'm')
    and attribute.attnum > 0
    and not attribute.attisdropped
  union all
  select
    step.relation,
    step.name,
    step.sort_order,
    case when type.typtype = 'd' then type.typbasetype else type.typelem end as type,
    case when type.typtype = 'd' then type.typtypmod else step.modifier end as modifier,
    case when type.typtype = 'd' then type.typndims else 0 end as declared,
    step.dimensions + case when type.typtype = 'd' then 0 else greatest(step.declared, 1) end as dimensions,
    step.is_nested or (type.typtype <> 'd' and step.dimensions > 0) as is_nested,
    case when type.typtype = 'd' and step.dimensions = 0 then step.domains || type.oid else step.domains end as domains
  from step
  join pg_catalog.pg_type as type on type.oid = step.type
  left join pg_catalog.pg_type as element on element.oid = type.typelem
  where type.typtype = 'd'
    or element.typarray = type.oid
)
select
  step.relation,
  step.name,
  pg_catalog.format_type(type.oid, step.modifier) as printed,
  type.typname::text as base,
  case
    when type.typnamespace = 'pg_catalog'::pg_catalog.regnamespace then 'pg_catalog'
    when exists (
      select
      from pg_catalog.pg_depend as member
      where member.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
        and member.objid = type.oid
        and member.deptype = 'e'
    ) then 'extension'
    else 'own'
  end as origin,
  case type.typtype
    when 'e' then 'enum'
    when 'c' then 'composite'
    when 'r' then 'range'
    when 'm' then 'multirange'
    else 'base'
  end as kind,
  case
    when step.modifier < 0 then null
    when type.typname in ('bpchar', 'varchar') then step.modifier - 4
    when type.typname in ('bit', 'varbit', 'vector', 'halfvec') then step.modifier
  end as length,
  step.dimensions,
  step.dimensions > 0 and (step.is_nested or type.typdelim <> ',') as "isWrittenAsText",
  array(
    select label.enumlabel::text
    from pg_catalog.pg_enum as label
    where label.enumtypid = type.oid
    order by label.enumsortorder
  ) as labels,
  coalesce(sort_order.collisdeterministic, true) as "isExact",
  exists (
    select
    from pg_catalog.pg_type as domain
    where domain.oid = any (step.domains)
      and domain.typnotnull
  ) as "domainNotNull",
  exists (
    select
    from pg_catalog.pg_type as domain
    where domain.oid = any (step.domains)
      and domain.typdefaultbin is not null
  ) as "domainHasDefault",
  array(
    select pg_catalog.pg_get_constraintdef(item.oid, true)
    from pg_catalog.pg_constraint as item
    where item.contypid = any (step.domains)
      and item.contype = 'c'
      and item.convalidated
    order by item.conname
  ) as "domainChecks"
from step
join pg_catalog.pg_type as type on type.oid = step.type
left join pg_catalog.pg_type as element on element.oid = type.typelem
left join pg_catalog.pg_collation as sort_order on sort_order.oid = step.sort_order
where type.typtype <> 'd'
  and element.typarray is distinct from type.oid
