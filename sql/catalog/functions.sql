-- Which functions and procedures does a schema have? Those of extensions left out.
-- Parameters: $1 schema (text)
-- Columns:    name, identity_arguments (types), arguments (with names and defaults), kind, result (null: procedure),
--             language, volatility, parallel, strict, leakproof, security_definer, cost, rows (estimates of the
--             planner; rows 0: not a set), configuration (text[], name=value), body, comment
-- Needs:      nothing
select
  routine.proname::text as name,
  pg_catalog.oidvectortypes(routine.proargtypes) as identity_arguments,
  pg_catalog.pg_get_function_arguments(routine.oid) as arguments,
  case routine.prokind
    when 'f' then 'function'
    when 'p' then 'procedure'
    when 'a' then 'aggregate'
    else 'window function'
  end as kind,
  pg_catalog.pg_get_function_result(routine.oid) as result,
  language.lanname::text as language,
  case routine.provolatile
    when 'i' then 'immutable'
    when 's' then 'stable'
    else 'volatile'
  end as volatility,
  case routine.proparallel
    when 's' then 'safe'
    when 'r' then 'restricted'
    else 'unsafe'
  end as parallel,
  routine.proisstrict as strict,
  routine.proleakproof as leakproof,
  routine.prosecdef as security_definer,
  routine.procost as cost,
  routine.prorows as rows,
  coalesce(routine.proconfig, '{}') as configuration,
  coalesce(pg_catalog.pg_get_function_sqlbody(routine.oid), routine.prosrc) as body,
  pg_catalog.obj_description(routine.oid, 'pg_proc') as comment
from pg_catalog.pg_proc as routine
join pg_catalog.pg_namespace as namespace on namespace.oid = routine.pronamespace
join pg_catalog.pg_language as language on language.oid = routine.prolang
where namespace.nspname = $1
  and not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      and member.objid = routine.oid
      and member.deptype = 'e'
  )
order by routine.proname, pg_catalog.oidvectortypes(routine.proargtypes) collate "C"
