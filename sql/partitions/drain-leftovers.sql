-- What has a drain of the default partition left that did not end?
-- Parameters: $1 names of its own tables (text[]), $2 names of its triggers and functions (text[])
-- Columns:    tables (text[], quoted: its own tables, and copies, which are no partitions of messages or
--             messages_archive), mirrored (text[], quoted: tables with one of the triggers), functions (text[])
-- Needs:      nothing
with roots as materialized (
  select
    messages.oid,
    messages.relnamespace,
    messages.relowner,
    source.relnamespace as default_namespace
  from pg_catalog.pg_class as messages
  left join pg_catalog.pg_partitioned_table as partitioned on partitioned.partrelid = messages.oid
  left join pg_catalog.pg_class as source on source.oid = partitioned.partdefid
  where messages.oid = 'messages'::regclass
),
own as materialized (
  select class.oid
  from pg_catalog.pg_class as class
  cross join roots
  where class.relkind in ('r', 'p')
    and class.relowner = roots.relowner
    and (
      class.relnamespace = roots.relnamespace and class.relname = any ($1::text[])
      or class.relnamespace = roots.relnamespace and class.relname ~ '^messages_y\d{4}m\d{2}_drain$'
      or class.relnamespace = roots.default_namespace and class.relname = 'messages_default_drain'
    )
    and not exists (
      select
      from pg_catalog.pg_inherits as inherits
      where inherits.inhrelid = class.oid
        and inherits.inhparent in ('messages'::regclass, 'messages_archive'::regclass)
    )
)
select
  array(
    select own.oid::regclass::text
    from own
    order by 1
  ) as tables,
  array(
    select distinct trigger.tgrelid::regclass::text
    from pg_catalog.pg_trigger as trigger
    join pg_catalog.pg_class as class on class.oid = trigger.tgrelid
    where trigger.tgname = any ($2::text[])
    order by 1
  ) as mirrored,
  array(
    select function.oid::regprocedure::text
    from pg_catalog.pg_proc as function
    where function.proname = any ($2::text[])
      and function.pronamespace = (select relnamespace from roots)
    order by 1
  ) as functions
