-- What else refers to messages by its object, so that it would keep the old table when another takes the name?
-- Parameters: $1 messages, with its schema, quoted (text)
-- Columns:    kind (view, materialized view, rule, function, policy, view by its primary key), object (text, quoted),
--             definition (of a view, without the name; else null), options (text[], of a view)
-- Needs:      nothing
with dependency as (
  select distinct depend.classid, depend.objid, depend.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass as is_by_key
  from pg_catalog.pg_depend as depend
  where (
      depend.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and depend.refobjid = $1::pg_catalog.regclass
    )
    or (
      depend.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
      and depend.refobjid in (
        select item.oid
        from pg_catalog.pg_constraint as item
        where item.conrelid = $1::pg_catalog.regclass
          and item.contype = 'p'
      )
    )
)
select
  case
    when rule.rulename <> '_RETURN' then 'rule'
    when class.relkind = 'm' then 'materialized view'
    when pg_catalog.bool_or(dependency.is_by_key) then 'view by its primary key'
    else 'view'
  end as kind,
  class.oid::pg_catalog.regclass::text as object,
  case when class.relkind = 'v' then pg_catalog.pg_get_viewdef(class.oid) end as definition,
  coalesce(class.reloptions, '{}') as options
from dependency
join pg_catalog.pg_rewrite as rule on rule.oid = dependency.objid
join pg_catalog.pg_class as class on class.oid = rule.ev_class
where dependency.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  and class.oid <> $1::pg_catalog.regclass
group by class.oid, class.relkind, class.reloptions, rule.rulename
union all
select 'function', dependency.objid::pg_catalog.regprocedure::text, null, '{}'
from dependency
where dependency.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  and not dependency.is_by_key
union all
select
  'policy',
  pg_catalog.quote_ident(policy.polname) || ' on ' || policy.polrelid::pg_catalog.regclass::text,
  null,
  '{}'
from dependency
join pg_catalog.pg_policy as policy on policy.oid = dependency.objid
where dependency.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
  and policy.polrelid <> $1::pg_catalog.regclass
order by 1, 2
