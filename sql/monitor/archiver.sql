-- Does the archiving of WAL get on?
-- Parameters: none
-- Columns:    mode (off, on, always), has_command (there is something that archives), can_list (this role may count what waits), last_failed_wal (text, null when the last
--             attempt went well), last_failed_at, archived_at (timestamptz)
-- Needs:      nothing
select
  pg_catalog.current_setting('archive_mode') as mode,
  pg_catalog.current_setting('archive_command') <> '' or pg_catalog.current_setting('archive_library') <> '' as has_command,
  pg_catalog.has_function_privilege('pg_catalog.pg_ls_archive_statusdir()', 'execute') as can_list,
  case
    when last_failed_time > coalesce(last_archived_time, '-infinity') then last_failed_wal
  end as last_failed_wal,
  last_failed_time as last_failed_at,
  last_archived_time as archived_at
from pg_catalog.pg_stat_archiver
