-- Are the archive, its journal and the functions that this version calls there?
-- Parameters: none
-- Columns:    is_ready
-- Needs:      nothing
select
  pg_catalog.to_regclass('archive_journal') is not null
    and pg_catalog.to_regclass('messages_archive') is not null
    and pg_catalog.to_regproc('move_message_batch') is not null
    and pg_catalog.to_regproc('message_lock_time_left_ms') is not null as is_ready
