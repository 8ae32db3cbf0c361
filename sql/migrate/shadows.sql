-- Which routines and operators of these schemas would be taken in place of one of PostgreSQL, or of an extension?
-- Parameters: $1 schemas of the search_path, in its order (text[]), $2 names of routines that are called (text[])
-- Columns:    kind (function, aggregate, procedure, operator), identity (text: with its schema and the types of its arguments),
--             schema (text), owner (text), of (text: what it is taken for), is_trusted (boolean: it belongs to a superuser, or to the
--             owner of the database or of the schema)
-- Needs:      nothing
--
-- pg_catalog is first in every search_path, but decides only between equal arguments: a better match wins from any schema, such as
-- lower(varchar) for a column of varchar (https://www.postgresql.org/docs/17/typeconv-func.html). Only arguments that the other one
-- would have taken without a conversion count: date_trunc(text, date) is called for a date, and the built-in one never is.
with place as (
  select namespace.oid, namespace.nspname as name, namespace.nspowner as owner, given.position
  from pg_catalog.unnest($1::text[]) with ordinality as given (name, position)
  join pg_catalog.pg_namespace as namespace on namespace.nspname = given.name
),
candidate as (
  select
    case routine.prokind when 'a' then 'aggregate' when 'p' then 'procedure' else 'function' end as kind,
    'pg_catalog.pg_proc'::pg_catalog.regclass as catalog,
    routine.oid,
    routine.proname as name,
    routine.proowner as owner,
    routine.pronamespace as namespace,
    routine.pronargs as least,
    routine.proargtypes::oid[] as taken,
    routine.provariadic as variadic,
    pg_catalog.format('%I.%I(%s)', place.name, routine.proname, pg_catalog.pg_get_function_identity_arguments(routine.oid)) as identity,
    place.position
  from place
  join pg_catalog.pg_proc as routine on routine.pronamespace = place.oid
  where routine.proname = any ($2::name[])
  union all
  select
    'operator',
    'pg_catalog.pg_operator'::pg_catalog.regclass,
    operator.oid,
    operator.oprname,
    operator.oprowner,
    operator.oprnamespace,
    2,
    array[operator.oprleft, operator.oprright],
    0,
    pg_catalog.format(
      '%I.%s (%s, %s)', place.name, operator.oprname,
      case operator.oprleft when 0 then 'none' else pg_catalog.format_type(operator.oprleft, null) end,
      pg_catalog.format_type(operator.oprright, null)
    ),
    place.position
  from place
  join pg_catalog.pg_operator as operator on operator.oprnamespace = place.oid
),
-- What an extension has added is as the extension says, and its types are mostly its own.
own as (
  select
    candidate.*,
    case
      when candidate.variadic = 0 then candidate.taken
      else candidate.taken[0:pg_catalog.array_upper(candidate.taken, 1) - 1] || candidate.variadic
    end as given
  from candidate
  where not exists (
    select
    from pg_catalog.pg_depend as depend
    where depend.classid = candidate.catalog
      and depend.objid = candidate.oid
      and depend.deptype = 'e'
  )
),
-- The types of each position, from 1.
argument as (
  select own.catalog, own.oid, item.position, type.oid as type, type.typcategory as category
  from own
  cross join lateral pg_catalog.unnest(own.given) with ordinality as item (type, position)
  left join pg_catalog.pg_type as type on type.oid = item.type
),
other as (
  select
    'pg_catalog.pg_proc'::pg_catalog.regclass as catalog,
    routine.oid,
    routine.proname as name,
    routine.proargtypes::oid[] as taken,
    routine.pronargs as most,
    routine.pronargs - routine.pronargdefaults - (routine.provariadic <> 0)::integer as least,
    routine.provariadic as variadic,
    case routine.pronamespace when 'pg_catalog'::pg_catalog.regnamespace then 0 else place.position end as position
  from pg_catalog.pg_proc as routine
  left join place on place.oid = routine.pronamespace
  where routine.proname in (select name from own)
    and (routine.pronamespace = 'pg_catalog'::pg_catalog.regnamespace or (place.oid is not null and exists (
      select
      from pg_catalog.pg_depend as depend
      where depend.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        and depend.objid = routine.oid
        and depend.deptype = 'e'
    )))
  union all
  select
    'pg_catalog.pg_operator'::pg_catalog.regclass,
    operator.oid,
    operator.oprname,
    array[operator.oprleft, operator.oprright],
    2,
    2,
    0,
    0
  from pg_catalog.pg_operator as operator
  where operator.oprname in (select name from own)
    and operator.oprnamespace = 'pg_catalog'::pg_catalog.regnamespace
),
matched as (
  select distinct on (own.catalog, own.oid) own.*, other.oid as of_oid
  from own
  join other on other.catalog = own.catalog and other.name = own.name
  where pg_catalog.cardinality(own.given) >= other.least
    and (pg_catalog.cardinality(own.given) <= other.most or other.variadic <> 0)
    and not exists (
      select
      from argument
      -- oidvector counts from 0.
      cross join lateral (
        select case
          when other.variadic <> 0 and argument.position >= other.most then other.variadic
          when other.catalog = 'pg_catalog.pg_operator'::pg_catalog.regclass then other.taken[argument.position]
          else other.taken[argument.position - 1]
        end as type
      ) as wanted
      left join pg_catalog.pg_type as wanted_type on wanted_type.oid = wanted.type
      where argument.catalog = own.catalog
        and argument.oid = own.oid
        and not (
          argument.type is not distinct from wanted_type.oid
          or wanted_type.typname in ('any', 'anyelement', 'anycompatible')
          or (wanted_type.typname in ('anynonarray', 'anycompatiblenonarray') and argument.category <> 'A')
          or (wanted_type.typname in ('anyarray', 'anycompatiblearray') and argument.category = 'A')
          or exists (
            select
            from pg_catalog.pg_cast as conversion
            where conversion.castsource = argument.type
              and conversion.casttarget = wanted.type
              and conversion.castcontext = 'i'
              and (conversion.castmethod = 'b' or (argument.category = 'S' and wanted_type.typcategory = 'S'))
          )
        )
    )
    -- Of equal arguments the first schema of the path wins.
    and not exists (
      select
      from other as first
      where first.catalog = own.catalog
        and first.name = own.name
        and first.position < own.position
        and first.taken = own.taken
    )
  order by own.catalog, own.oid, other.position desc, 'pg_catalog.text'::pg_catalog.regtype = any (other.taken) desc, other.oid
)
select
  matched.kind,
  matched.identity,
  place.name::text as schema,
  owner.rolname::text as owner,
  case matched.kind
    when 'operator' then matched.of_oid::pg_catalog.regoperator::text
    else matched.of_oid::pg_catalog.regprocedure::text
  end as "of",
  (
    owner.rolsuper
    or matched.owner = place.owner
    or matched.owner = (select datdba from pg_catalog.pg_database where datname = pg_catalog.current_database())
  ) as is_trusted
from matched
join place on place.oid = matched.namespace
join pg_catalog.pg_roles as owner on owner.oid = matched.owner
order by matched.identity
