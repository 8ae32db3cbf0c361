-- Are the archive, its journal and the functions that this version calls there, and may this role use them?
-- Parameters: none
-- Columns:    is_ready, may_use (null while it is not ready), role_name, owner_name (null while it is not ready)
-- Needs:      nothing
select
  pg_catalog.to_regclass('archive_journal') is not null
    and pg_catalog.to_regclass('messages_archive') is not null
    and pg_catalog.to_regproc('aisec_begin_message_move') is not null
    and pg_catalog.to_regproc('aisec_message_partition_bounds') is not null as is_ready,
  pg_catalog.pg_has_role(
    (
      select class.relowner
      from pg_catalog.pg_class as class
      where class.oid = pg_catalog.to_regclass('messages_archive')
    ),
    'usage'
  ) as may_use,
  current_user::text as role_name,
  (
    select pg_catalog.pg_get_userbyid(class.relowner)::text
    from pg_catalog.pg_class as class
    where class.oid = pg_catalog.to_regclass('messages_archive')
  ) as owner_name
