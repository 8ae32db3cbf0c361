-- Whom do these views and functions belong to, who may use them, and what are their comments?
-- Parameters: $1 identities as SQL takes them (text[]), $2 whether it is a function (boolean[]), at the same positions
-- Columns:    identity, owner (as SQL takes it), columns (text[], quoted), grants (json: [{grantee, privilege, is_grantable, column}], without
--             those of the owner), comments (json: [{column, text}]; column null: of the object)
-- Needs:      nothing
with wanted as (
  select
    given.identity,
    given.is_function,
    case
      when given.is_function then pg_catalog.to_regprocedure(given.identity)::oid
      else pg_catalog.to_regclass(given.identity)::oid
    end as oid
  from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::boolean[])) as given (identity, is_function)
),
objects as (
  select
    wanted.identity,
    wanted.is_function,
    wanted.oid,
    coalesce(class.relowner, proc.proowner) as owner,
    case
      when wanted.is_function then coalesce(proc.proacl, pg_catalog.acldefault('f', proc.proowner))
      else coalesce(class.relacl, pg_catalog.acldefault('r', class.relowner))
    end as acl
  from wanted
  left join pg_catalog.pg_class as class on not wanted.is_function and class.oid = wanted.oid
  left join pg_catalog.pg_proc as proc on wanted.is_function and proc.oid = wanted.oid
  where wanted.oid is not null
),
attributes as (
  select
    objects.identity,
    attribute.attnum,
    pg_catalog.quote_ident(attribute.attname) as name,
    attribute.attacl as acl
  from objects
  join pg_catalog.pg_attribute as attribute
    on not objects.is_function
    and attribute.attrelid = objects.oid
    and attribute.attnum > 0
    and not attribute.attisdropped
),
grants as (
  select
    objects.identity,
    null::text as column_name,
    entry.*
  from objects
  cross join lateral pg_catalog.aclexplode(objects.acl) as entry
  union all
  select
    attributes.identity,
    attributes.name,
    entry.*
  from attributes
  cross join lateral pg_catalog.aclexplode(attributes.acl) as entry
),
comments as (
  select
    objects.identity,
    attributes.name as column_name,
    description.description as text
  from objects
  join pg_catalog.pg_description as description
    on description.objoid = objects.oid
    and description.classoid = case when objects.is_function then 'pg_catalog.pg_proc' else 'pg_catalog.pg_class' end::pg_catalog.regclass
  left join attributes
    on attributes.identity = objects.identity
    and attributes.attnum = description.objsubid
)
select
  objects.identity,
  objects.owner::regrole::text as owner,
  array(select attributes.name from attributes where attributes.identity = objects.identity order by attributes.attnum) as columns,
  coalesce(
    (
      select pg_catalog.json_agg(
        pg_catalog.json_build_object(
          'grantee', case grants.grantee when 0 then 'public' else grants.grantee::regrole::text end,
          'privilege', grants.privilege_type,
          'isGrantable', grants.is_grantable,
          'column', grants.column_name
        )
      )
      from grants
      where grants.identity = objects.identity
        and grants.grantee <> objects.owner
    ),
    '[]'
  ) as grants,
  coalesce(
    (
      select pg_catalog.json_agg(pg_catalog.json_build_object('column', comments.column_name, 'text', comments.text))
      from comments
      where comments.identity = objects.identity
    ),
    '[]'
  ) as comments
from objects
order by objects.identity
