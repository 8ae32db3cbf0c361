-- What archives the WAL of this server, beside aisec?
-- Parameters: none
-- Columns:    command, library (text, empty where none is set or archive_mode is off), receivers (text[], names of the programs that stream WAL;
--             those of other roles need pg_monitor), is_failing (the last attempt of command or library failed), archived_at (timestamptz, null: none yet)
-- Needs:      nothing
select
  case when pg_catalog.current_setting('archive_mode') = 'off' then '' else pg_catalog.current_setting('archive_command') end as command,
  case when pg_catalog.current_setting('archive_mode') = 'off' then '' else pg_catalog.current_setting('archive_library') end as library,
  array(
    select distinct application_name
    from pg_catalog.pg_stat_replication
    where application_name <> ''
    order by application_name
  ) as receivers,
  last_failed_time is not null
    and last_failed_time > coalesce(last_archived_time, '-infinity') as is_failing,
  last_archived_time as archived_at
from pg_catalog.pg_stat_archiver
