-- Which views give away rows that row-level security would hide, because they read them with their owner's rights?
-- Parameters: $1 schema (text), whose tables are meant
-- Columns:    schema, name, is_materialized, tables (text[], with row-level security), grantees (text[], roles that may read
--             the view, without its owner and those that row-level security does not hold anyway)
-- Needs:      nothing
-- A view that reads through one with security_invoker asks for the privileges of its caller; a materialized view holds what
-- its owner saw.
with recursive views as materialized (
  select
    class.oid,
    class.relkind,
    exists (
      select
      from pg_catalog.pg_options_to_table(class.reloptions) as option
      where option.option_name = 'security_invoker'
        and option.option_value::boolean
    ) as is_invoker
  from pg_catalog.pg_class as class
  where class.relkind in ('v', 'm')
    and class.relnamespace not in (
      'pg_catalog'::pg_catalog.regnamespace,
      'information_schema'::pg_catalog.regnamespace
    )
),
direct as materialized (
  select distinct
    rewrite.ev_class as reader,
    depend.refobjid as source
  from views
  join pg_catalog.pg_rewrite as rewrite on rewrite.ev_class = views.oid
  join pg_catalog.pg_depend as depend
    on depend.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    and depend.objid = rewrite.oid
    and depend.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and depend.refobjid <> rewrite.ev_class
),
reads as (
  select
    views.oid as view_oid,
    views.relkind = 'm' as is_materialized,
    direct.source
  from views
  join direct on direct.reader = views.oid
  where views.relkind = 'm'
    or not views.is_invoker
  union
  select
    reads.view_oid,
    reads.is_materialized,
    direct.source
  from reads
  join views on views.oid = reads.source
  join direct on direct.reader = views.oid
  where reads.is_materialized
    or views.relkind = 'm'
    or not views.is_invoker
)
select
  namespace.nspname::text as schema,
  view.relname::text as name,
  reads.is_materialized,
  pg_catalog.array_agg(distinct source.relname::text) as tables,
  array(
    select distinct coalesce(role.rolname::text, 'public')
    from pg_catalog.aclexplode(view.relacl) as entry
    left join pg_catalog.pg_roles as role on role.oid = entry.grantee
    where entry.grantee <> view.relowner
      and entry.privilege_type = 'SELECT'
      and not coalesce(role.rolsuper or role.rolbypassrls, false)
    order by 1
  ) as grantees
from reads
join pg_catalog.pg_class as view on view.oid = reads.view_oid
join pg_catalog.pg_namespace as namespace on namespace.oid = view.relnamespace
join pg_catalog.pg_class as source on source.oid = reads.source
join pg_catalog.pg_namespace as source_namespace on source_namespace.oid = source.relnamespace
where source_namespace.nspname = $1
  and source.relkind in ('r', 'p')
  and source.relrowsecurity
group by
  view.oid,
  namespace.nspname,
  view.relname,
  view.relowner,
  view.relacl,
  reads.is_materialized
order by 1, 2
