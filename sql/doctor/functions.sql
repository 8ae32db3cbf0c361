-- Which functions run as their owner, and how carefully?
-- Parameters: $1 schema (text)
-- Columns:    signature (name and argument types, quoted, without the schema), name, word (function or procedure),
--             is_pinned (has a search_path of its own), for_public (PUBLIC may execute it)
-- Needs:      nothing
-- Functions of extensions are left out, and of for_public triggers, which cannot be called.
select
  pg_catalog.format(
    '%I(%s)',
    function.proname,
    pg_catalog.pg_get_function_identity_arguments(function.oid)
  ) as signature,
  function.proname::text as name,
  case function.prokind when 'p' then 'procedure' else 'function' end as word,
  exists (
    select
    from pg_catalog.unnest(function.proconfig) as setting
    where setting like 'search\_path=%'
  ) as is_pinned,
  function.prorettype not in ('trigger'::pg_catalog.regtype, 'event_trigger'::pg_catalog.regtype)
    and exists (
      select
      from pg_catalog.aclexplode(
        coalesce(function.proacl, pg_catalog.acldefault('f', function.proowner))
      ) as entry
      where entry.grantee = 0
        and entry.privilege_type = 'EXECUTE'
    ) as for_public
from pg_catalog.pg_proc as function
join pg_catalog.pg_namespace as namespace on namespace.oid = function.pronamespace
where namespace.nspname = $1
  and function.prosecdef
  and not exists (
    select
    from pg_catalog.pg_depend as depend
    where depend.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      and depend.objid = function.oid
      and depend.deptype = 'e'
  )
order by 1
