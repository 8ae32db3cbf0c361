-- What a dump reads beside the rows of tables, and the session's role may not read.
-- Columns: kind (as PostgreSQL calls it), count, names (five of them, quoted).
-- Role: any.
with unreadable as (
  select
    case relkind when 'S' then 'sequence' else 'partitioned table' end as kind,
    pg_catalog.format('%I.%I', nspname, relname) as name
  from pg_catalog.pg_class
  join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
  where relkind in ('S', 'p')
    and relpersistence <> 't'
    and nspname !~ '^pg_'
    and nspname <> 'information_schema'
    and not (
      case relkind
        when 'S' then pg_catalog.has_sequence_privilege(pg_class.oid, 'select')
        else pg_catalog.has_table_privilege(pg_class.oid, 'select')
      end
      and pg_catalog.has_schema_privilege(relnamespace, 'usage')
    )
    and not exists (
      select
      from pg_catalog.pg_depend
      where classid = 'pg_catalog.pg_class'::regclass
        and objid = pg_class.oid
        and deptype = 'e'
    )
  union all
  -- has_largeobject_privilege is of PostgreSQL 18; pg_read_all_data reads them from 19 on.
  select 'large object', pg_largeobject_metadata.oid::text
  from pg_catalog.pg_largeobject_metadata
  where pg_catalog.current_setting('is_superuser') = 'off'
    and pg_catalog.current_setting('lo_compat_privileges') = 'off'
    and not pg_catalog.pg_has_role(lomowner, 'usage')
    and not (
      pg_catalog.current_setting('server_version_num')::int >= 190000
      and pg_catalog.pg_has_role('pg_read_all_data', 'usage')
    )
    and not exists (
      select
      from pg_catalog.aclexplode(lomacl)
      where privilege_type = 'SELECT'
        and case when grantee = 0 then true else pg_catalog.pg_has_role(grantee, 'usage') end
    )
)
select
  kind,
  pg_catalog.count(*)::int as count,
  (pg_catalog.array_agg(name order by name))[:5] as names
from unreadable
group by kind
order by kind
