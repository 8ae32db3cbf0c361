-- Which limits of time, set for the role or the database, are too short for the first statements of a session?
-- Parameters: none
-- Columns:    name (text)
-- Needs:      nothing
-- Under a second: those that are longer are lifted in time by pg_dump itself, and pg_dumpall reads for less.
select setting.name
from pg_catalog.pg_settings as setting
where setting.name in ('lock_timeout', 'statement_timeout', 'transaction_timeout')
  and setting.reset_val::bigint between 1 and 999
order by setting.name
