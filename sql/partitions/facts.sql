-- What does each partition of messages and messages_archive have of what it needs?
-- Parameters: $1 schema (text)
-- Columns:    partition_schema, partition, has_row_security; grantees (text[], roles with a right on the table or a column,
--             without its owner and those that row-level security does not hold anyway); has_bound_check (a validated
--             CHECK equal to its bounds; true for a default partition);
--             columns (text[]); missing_indexes (json: name of the root's index, is_unique, method (the definition
--             from USING on)); invalid_indexes (text[], those being built left out); owner and root_owner; wrong_triggers
--             (json: name, is_missing, enable (the words of ALTER TABLE that set it right): triggers that keep message_keys
--             and are missing, or disabled, or not enabled always, which those of a tenant of Citus need not be); wrong_root_triggers (json: name, enable: the same of the
--             table that it is a partition of)
-- Needs:      nothing
-- A CHECK and the bounds are compared as this session prints both, so its time zone and date style do not matter.
with partitions as materialized (
  select
    class.oid,
    class.relname,
    class.relowner,
    class.relacl,
    class.relrowsecurity,
    inherits.inhparent as root_oid,
    namespace.nspname,
    pg_catalog.pg_get_expr(class.relpartbound, 0) as bound
  from pg_catalog.pg_inherits as inherits
  join pg_catalog.pg_class as root on root.oid = inherits.inhparent
  join pg_catalog.pg_namespace as root_namespace on root_namespace.oid = root.relnamespace
  join pg_catalog.pg_class as class on class.oid = inherits.inhrelid
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where root_namespace.nspname = $1
    and root.relname in ('messages', 'messages_archive')
    and root.relkind = 'p'
),
checks as materialized (
  select
    conrelid,
    pg_catalog.pg_get_constraintdef(oid) as definition
  from pg_catalog.pg_constraint
  where conrelid in (select oid from partitions)
    and contype = 'c'
    and convalidated
),
triggers as materialized (
  select
    tgrelid as root_oid,
    tgname as name,
    tgenabled as enabled,
    -- As the migrations leave them: ENABLE TRIGGER ALL after a load, on the table or a partition, is not enough. Of a tenant of
    -- Citus as sql/tenant/adapt.sql does; as it did, they were always enabled there, too.
    case
      when tgname = 'aisec_unregister_replicated_message_key' then 'R'
      when pg_catalog.to_regprocedure(pg_catalog.format('%I.aisec_acting_user()', $1)) is not null
        then case when tgenabled = 'A' then 'A' else 'O' end
      when tgname like any (array['aisec\_register\_%', 'aisec\_follow\_%', 'aisec\_unregister\_%']) then 'A'
      else 'O'
    end as wanted
  from pg_catalog.pg_trigger
  where tgrelid in (select root_oid from partitions)
    and not tgisinternal
    and tgname like 'aisec\_%'
),
enabling (enabled, words) as (
  values
    ('A', 'enable always'),
    ('R', 'enable replica'),
    ('O', 'enable')
)
select
  partitions.nspname::text as partition_schema,
  partitions.relname::text as partition,
  partitions.relrowsecurity as has_row_security,
  array(
    select distinct case when entry.grantee = 0 then 'public' else pg_catalog.pg_get_userbyid(entry.grantee)::text end
    from (
      select partitions.relacl as acl
      union all
      select attacl
      from pg_catalog.pg_attribute
      where attrelid = partitions.oid
        and attacl is not null
    ) as granted
    cross join lateral pg_catalog.aclexplode(granted.acl) as entry
    left join pg_catalog.pg_roles as role on role.oid = entry.grantee
    where entry.grantee <> partitions.relowner
      and not coalesce(role.rolsuper or role.rolbypassrls, false)
    order by 1
  ) as grantees,
  partitions.bound = 'DEFAULT' or exists (
    select
    from checks
    where checks.conrelid = partitions.oid
      -- FROM (MINVALUE) and TO (MAXVALUE) have no literal, so an open end is never equal to a CHECK.
      and pg_catalog.strpos(
        checks.definition,
        pg_catalog.format('created_at >= %L::timestamp with time zone', pg_catalog.split_part(partitions.bound, '''', 2))
      ) > 0
      and pg_catalog.strpos(
        checks.definition,
        pg_catalog.format('created_at < %L::timestamp with time zone', pg_catalog.split_part(partitions.bound, '''', 4))
      ) > 0
  ) as has_bound_check,
  array(
    select attname::text
    from pg_catalog.pg_attribute
    where attrelid = partitions.oid
      and attnum > 0
      and not attisdropped
      and attgenerated = ''
    order by attnum
  ) as columns,
  (
    select coalesce(
      pg_catalog.json_agg(
        pg_catalog.json_build_object(
          'name', index_class.relname,
          'is_unique', index.indisunique,
          'method', pg_catalog.substring(pg_catalog.pg_get_indexdef(index.indexrelid), ' (USING .*)$')
        )
        order by index_class.relname
      ),
      '[]'
    )
    from pg_catalog.pg_index as index
    join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
    where index.indrelid = partitions.root_oid
      and not exists (
        select
        from pg_catalog.pg_inherits as part
        join pg_catalog.pg_index as part_index on part_index.indexrelid = part.inhrelid
        where part.inhparent = index.indexrelid
          and part_index.indrelid = partitions.oid
      )
  ) as missing_indexes,
  array(
    select index_class.relname::text
    from pg_catalog.pg_index as index
    join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
    where index.indrelid = partitions.oid
      and index_class.relkind = 'i'
      and not index.indisvalid
      and not exists (
        select
        from pg_catalog.pg_stat_progress_create_index as progress
        where progress.index_relid = index.indexrelid
      )
    order by 1
  ) as invalid_indexes,
  pg_catalog.pg_get_userbyid(partitions.relowner)::text as owner,
  (
    select pg_catalog.pg_get_userbyid(relowner)::text
    from pg_catalog.pg_class
    where oid = partitions.root_oid
  ) as root_owner,
  (
    select coalesce(
      pg_catalog.json_agg(
        pg_catalog.json_build_object('name', triggers.name, 'is_missing', own.oid is null, 'enable', enabling.words)
        order by triggers.name
      ),
      '[]'
    )
    -- Row triggers of the root have a clone on each partition; statement triggers need one of its own.
    from triggers
    join enabling on enabling.enabled = triggers.wanted
    left join pg_catalog.pg_trigger as own
      on own.tgrelid = partitions.oid
      and own.tgname = triggers.name
    where triggers.root_oid = partitions.root_oid
      and (own.oid is null or own.tgenabled::text <> triggers.wanted)
  ) as wrong_triggers,
  (
    select coalesce(
      pg_catalog.json_agg(
        pg_catalog.json_build_object('name', triggers.name, 'enable', enabling.words)
        order by triggers.name
      ),
      '[]'
    )
    from triggers
    join enabling on enabling.enabled = triggers.wanted
    where triggers.root_oid = partitions.root_oid
      and triggers.enabled::text <> triggers.wanted
  ) as wrong_root_triggers
from partitions
order by partitions.bound, partitions.relname
