-- What depends on these views and functions, near ones first?
-- Parameters: $1 schemas (text[]; null: the search_path decides), $2 names (text[]), $3 whether it is a function (boolean[]), at the same positions
-- Columns:    depth (0: the named one), kind (as DROP takes it; null: dropped with what it is on, such as a trigger), identity (as SQL takes it),
--             schema_name, name, description (of pg_describe_object)
-- Needs:      nothing
with recursive named as (
  select
    case when wanted.is_function then 'pg_catalog.pg_proc' else 'pg_catalog.pg_class' end::pg_catalog.regclass as classid,
    coalesce(class.oid, proc.oid) as objid
  from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::boolean[])) as wanted (schema_name, name, is_function)
  left join pg_catalog.pg_class as class
    on not wanted.is_function
    and class.relname = wanted.name
    and class.relnamespace = pg_catalog.to_regnamespace(pg_catalog.quote_ident(coalesce(wanted.schema_name, pg_catalog.current_schema())))
  left join pg_catalog.pg_proc as proc
    on wanted.is_function
    and proc.proname = wanted.name
    and proc.pronamespace = pg_catalog.to_regnamespace(pg_catalog.quote_ident(coalesce(wanted.schema_name, pg_catalog.current_schema())))
),
dependants as (
  select
    0 as depth,
    named.classid::oid as classid,
    named.objid
  from named
  where named.objid is not null
  union
  select
    dependants.depth + 1,
    next.classid,
    next.objid
  from dependants
  left join pg_catalog.pg_class as class
    on dependants.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and class.oid = dependants.objid
  join pg_catalog.pg_depend as depend
    on (depend.refclassid = dependants.classid and depend.refobjid = dependants.objid)
    or (depend.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass and depend.refobjid = class.reltype)
  left join pg_catalog.pg_rewrite as rewrite
    on depend.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    and rewrite.oid = depend.objid
  cross join lateral (
    select
      case when rewrite.oid is null then depend.classid else 'pg_catalog.pg_class'::pg_catalog.regclass::oid end as classid,
      coalesce(rewrite.ev_class, depend.objid) as objid
  ) as next
  where depend.deptype in ('n', 'a')
    and depend.classid <> 'pg_catalog.pg_type'::pg_catalog.regclass
    and (next.classid, next.objid) <> (dependants.classid, dependants.objid)
),
farthest as (
  select
    pg_catalog.max(dependants.depth) as depth,
    dependants.classid,
    dependants.objid
  from dependants
  group by dependants.classid, dependants.objid
)
select
  farthest.depth,
  case
    when class.relkind = 'v' then 'view'
    when class.relkind = 'm' then 'materialized view'
    when proc.prokind = 'p' then 'procedure'
    when proc.oid is not null then 'function'
  end as kind,
  case
    when class.oid is not null then pg_catalog.format('%I.%I', namespace.nspname, class.relname)
    when proc.oid is not null then pg_catalog.format('%I.%I(%s)', namespace.nspname, proc.proname, pg_catalog.oidvectortypes(proc.proargtypes))
  end as identity,
  namespace.nspname::text as schema_name,
  coalesce(class.relname, proc.proname)::text as name,
  pg_catalog.pg_describe_object(farthest.classid, farthest.objid, 0) as description
from farthest
left join pg_catalog.pg_class as class
  on farthest.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and class.oid = farthest.objid
left join pg_catalog.pg_proc as proc
  on farthest.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  and proc.oid = farthest.objid
left join pg_catalog.pg_namespace as namespace on namespace.oid = coalesce(class.relnamespace, proc.pronamespace)
order by farthest.depth, identity, description
