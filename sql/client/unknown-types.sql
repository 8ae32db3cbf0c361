-- How are the values of these types written, which were made in this database?
-- Parameters: $1 types (oid[])
-- Columns:    oid, kind (array, domain, vector: one of pgvector that is a list of numbers, other), part (oid of an array's
--             elements and of what a domain is made of, each of which has a row of its own), delimiter (of an array)
-- Needs:      nothing
with recursive needed (oid) as (
  select given.oid
  from pg_catalog.unnest($1::oid[]) as given (oid)
  union
  select case when type.typtype = 'd' then type.typbasetype else type.typelem end
  from needed
  join pg_catalog.pg_type as type on type.oid = needed.oid
  left join pg_catalog.pg_type as element on element.oid = type.typelem
  where type.typtype = 'd'
    or element.typarray = type.oid
)
select
  type.oid,
  case
    when type.typtype = 'd' then 'domain'
    when element.typarray = type.oid then 'array'
    when type.typname in ('vector', 'halfvec') and exists (
      select
      from pg_catalog.pg_depend as member
      join pg_catalog.pg_extension as extension on extension.oid = member.refobjid
      where member.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
        and member.objid = type.oid
        and member.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        and member.deptype = 'e'
        and extension.extname = 'vector'
    ) then 'vector'
    else 'other'
  end as kind,
  case
    when type.typtype = 'd' then type.typbasetype
    when element.typarray = type.oid then type.typelem
  end as part,
  coalesce(element.typdelim, ',')::text as delimiter
from needed
join pg_catalog.pg_type as type on type.oid = needed.oid
left join pg_catalog.pg_type as element on element.oid = type.typelem
