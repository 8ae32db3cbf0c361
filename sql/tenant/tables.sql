-- Which tables has a schema, partitions left out, and what is in the way of moving them?
-- Parameters: $1 schema (text)
-- Columns:    table_name (text), is_ours (boolean: the role owns it), policies (text[]: those with a subquery), leaning (text[]: views and tables of
--             other schemas that need it, as SQL takes them)
-- Needs:      nothing
select
  class.relname::text as table_name,
  pg_catalog.pg_has_role(class.relowner, 'usage') as is_ours,
  array(
    select policy.polname::text
    from pg_catalog.pg_policy as policy
    where policy.polrelid = class.oid
      and (policy.polqual::text like '%{SUBLINK %' or policy.polwithcheck::text like '%{SUBLINK %')
    order by policy.polname
  ) as policies,
  array(
    select distinct pg_catalog.format('%I.%I', other.nspname, leaning.relname)
    from pg_catalog.pg_depend as depend
    left join pg_catalog.pg_rewrite as rule
      on depend.classid = 'pg_catalog.pg_rewrite'::regclass and rule.oid = depend.objid
    left join pg_catalog.pg_constraint as reference
      on depend.classid = 'pg_catalog.pg_constraint'::regclass and reference.oid = depend.objid
    join pg_catalog.pg_class as leaning on leaning.oid = coalesce(rule.ev_class, reference.conrelid)
    join pg_catalog.pg_namespace as other on other.oid = leaning.relnamespace and other.oid <> namespace.oid
    where depend.refclassid = 'pg_catalog.pg_class'::regclass
      and depend.refobjid = class.oid
    order by 1
  ) as leaning
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and class.relkind in ('r', 'p', 'f')
  and not class.relispartition
order by class.relname
