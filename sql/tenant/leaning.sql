-- Which views and foreign keys of other schemas need tables of this one?
-- Parameters: $1 schema (text)
-- Columns:    name (text, as SQL takes it)
-- Needs:      nothing
select distinct pg_catalog.format('%I.%I', other.nspname, class.relname) as name
from pg_catalog.pg_depend as depend
join pg_catalog.pg_class as needed on needed.oid = depend.refobjid
join pg_catalog.pg_namespace as namespace on namespace.oid = needed.relnamespace and namespace.nspname = $1
left join pg_catalog.pg_rewrite as rule on depend.classid = 'pg_catalog.pg_rewrite'::regclass and rule.oid = depend.objid
left join pg_catalog.pg_constraint as reference
  on depend.classid = 'pg_catalog.pg_constraint'::regclass and reference.oid = depend.objid
join pg_catalog.pg_class as class on class.oid = coalesce(rule.ev_class, reference.conrelid)
join pg_catalog.pg_namespace as other on other.oid = class.relnamespace
where depend.refclassid = 'pg_catalog.pg_class'::regclass
  and other.nspname <> $1
order by name
