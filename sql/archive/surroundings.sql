-- What of the whole schema matters to a move between messages and messages_archive?
-- Parameters: none
-- Columns:    now (by the server's clock), roleName, schemaName, ownerName, defaultPartition, referenceTables (text[]),
--             notOwned (text[]: tables to be locked that the role does not own), rowSecurityOn (text[]),
--             foreignKeys (json: table, name, definition) that point at messages or a partition,
--             deadlockTimeoutMs, takenNames (text[]: relations that are named like a month and do not belong to the archive)
-- Needs:      the owner of the schema
with roots as (
  select 'messages'::regclass as relation
  union all
  select 'messages_archive'::regclass
)
select
  pg_catalog.clock_timestamp() as now,
  current_user::text as "roleName",
  pg_catalog.current_schema()::text as "schemaName",
  (
    select pg_catalog.pg_get_userbyid(class.relowner)::text
    from pg_catalog.pg_class as class
    where class.oid = 'messages_archive'::regclass
  ) as "ownerName",
  (
    select bounds.partition::text
    from aisec_message_partition_bounds() as bounds
    where bounds.is_default
      and bounds.parent = 'messages'::regclass
  ) as "defaultPartition",
  aisec_message_reference_tables()::text[] as "referenceTables",
  array(
    select class.oid::regclass::text
    from pg_catalog.pg_class as class
    where class.oid = any (
        aisec_message_reference_tables() || array['messages'::regclass, 'messages_archive'::regclass]
      )
      and not pg_catalog.pg_has_role(class.relowner, 'usage')
    order by 1
  ) as "notOwned",
  array(
    select roots.relation::text
    from roots
    where pg_catalog.row_security_active(roots.relation)
    order by 1
  ) as "rowSecurityOn",
  (
    select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'table', keys.conrelid::regclass::text,
      'name', pg_catalog.quote_ident(keys.conname),
      'definition', pg_catalog.pg_get_constraintdef(keys.oid)
    )), '[]')
    from pg_catalog.pg_constraint as keys
    where keys.contype = 'f'
      and keys.conparentid = 0
      and (
        keys.confrelid in (select relation from roots)
        or keys.confrelid in (select bounds.partition from aisec_message_partition_bounds() as bounds)
      )
  ) as "foreignKeys",
  (
    select setting::integer
    from pg_catalog.pg_settings
    where name = 'deadlock_timeout'
  ) as "deadlockTimeoutMs",
  array(
    select class.relname::text
    from pg_catalog.pg_class as class
    where class.relnamespace = pg_catalog.quote_ident(pg_catalog.current_schema())::regnamespace
      and class.relname ~ '^messages(_archive)?_y\d{4}m\d{2}$'
      and class.oid not in (
        select bounds.partition
        from aisec_message_partition_bounds() as bounds
        where bounds.parent = 'messages_archive'::regclass
      )
  ) as "takenNames"
