-- Which default privileges does the current role have for what it makes in the current database?
-- Parameters: none
-- Columns:    off (the statement that takes one privilege to what PostgreSQL gives without default privileges), back (the
--             one that undoes it); in the order in which `off` is run, and `back` in the opposite one
-- Needs:      nothing; only what the role itself may alter is listed
with mine as (
  select
    pg_namespace.nspname,
    defaclobjtype as type,
    defaclacl as given,
    case
      when defaclnamespace = 0
        then pg_catalog.acldefault(case defaclobjtype when 'S' then 's'::"char" else defaclobjtype end, defaclrole)
    end as usual
  from pg_catalog.pg_default_acl
  left join pg_catalog.pg_namespace on pg_namespace.oid = defaclnamespace
  where pg_catalog.pg_get_userbyid(defaclrole) = current_user
    and (defaclnamespace = 0 or pg_catalog.has_schema_privilege(defaclnamespace, 'create'))
),
different as (
  select true as is_given, nspname, type, item.*
  from mine
  cross join lateral (select * from pg_catalog.aclexplode(given) except select * from pg_catalog.aclexplode(usual)) as item
  union all
  select false, nspname, type, item.*
  from mine
  cross join lateral (select * from pg_catalog.aclexplode(usual) except select * from pg_catalog.aclexplode(given)) as item
),
statements as (
  select
    is_given,
    'alter default privileges' || coalesce(' in schema ' || pg_catalog.quote_ident(nspname), '') as head,
    pg_catalog.format(
      '%s on %s',
      privilege_type,
      case type
        when 'r' then 'tables'
        when 'S' then 'sequences'
        when 'f' then 'functions'
        when 'T' then 'types'
        when 'n' then 'schemas'
        else 'large objects'
      end
    ) as what,
    case grantee when 0 then 'public' else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) end as whom,
    case when is_grantable then ' with grant option' else '' end as option
  from different
)
select
  case when is_given then head || ' revoke ' || what || ' from ' || whom else head || ' grant ' || what || ' to ' || whom || option end as off,
  case when is_given then head || ' grant ' || what || ' to ' || whom || option else head || ' revoke ' || what || ' from ' || whom end as back
from statements
order by is_given desc, head, what, whom;
