-- Which tables does a schema have, and with which properties? Partitions count as tables.
-- Parameters: $1 schema (text)
-- Columns:    name, kind, persistence, access_method (null: the partitions decide), partition_key, parents (text[]; of
--             a partition the table it belongs to), bound (null: no partition), options (text[], those of the TOAST
--             table with the prefix toast.), row_level_security, forced_row_level_security, replica_identity, comment
-- Needs:      nothing
select
  class.relname::text as name,
  case class.relkind
    when 'r' then 'table'
    when 'p' then 'partitioned table'
    else 'foreign table'
  end as kind,
  case class.relpersistence
    when 'p' then 'permanent'
    when 'u' then 'unlogged'
    else 'temporary'
  end as persistence,
  -- From PostgreSQL 17 on a partitioned table may have one, too: it is only the default of new partitions.
  case when class.relkind = 'r' then method.amname::text end as access_method,
  pg_catalog.pg_get_partkeydef(class.oid) as partition_key,
  array(
    select parent.relname::text
    from pg_catalog.pg_inherits as inherits
    join pg_catalog.pg_class as parent on parent.oid = inherits.inhparent
    where inherits.inhrelid = class.oid
    order by inherits.inhseqno
  ) as parents,
  pg_catalog.pg_get_expr(class.relpartbound, class.oid) as bound,
  array(
    select option.text
    from (
      select pg_catalog.unnest(class.reloptions) as text
      union all
      select 'toast.' || pg_catalog.unnest(toast.reloptions)
    ) as option
    order by option.text collate "C"
  ) as options,
  class.relrowsecurity as row_level_security,
  class.relforcerowsecurity as forced_row_level_security,
  case class.relreplident
    when 'd' then 'default'
    when 'n' then 'nothing'
    when 'f' then 'full'
    else 'index ' || (
      select index_class.relname
      from pg_catalog.pg_index as index
      join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
      where index.indrelid = class.oid
        and index.indisreplident
    )
  end as replica_identity,
  pg_catalog.obj_description(class.oid, 'pg_class') as comment
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
left join pg_catalog.pg_am as method on method.oid = class.relam
left join pg_catalog.pg_class as toast on toast.oid = class.reltoastrelid
where namespace.nspname = $1
  and class.relkind in ('r', 'p', 'f')
  and not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and member.objid = class.oid
      and member.deptype = 'e'
  )
order by class.relname
