-- Are the archive and its journal there?
-- Parameters: none
-- Columns:    is_ready
-- Needs:      nothing
select
  pg_catalog.to_regclass('archive_journal') is not null
    and pg_catalog.to_regclass('messages_archive') is not null
    and pg_catalog.to_regproc('move_message_batch') is not null as is_ready
