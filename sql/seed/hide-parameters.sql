-- Keeps bind parameters out of the server's log for the rest of the transaction, as far as this role may say so, and
-- returns whether the log would show them all the same.
-- Parameters: none
-- Columns:    is_logged (boolean): statements are logged with their parameters
-- Needs:      nothing; SET on log_parameter_max_length (a superuser has it) to hide them
with hidden as materialized (
  select case
    when pg_catalog.has_parameter_privilege('log_parameter_max_length', 'set')
    then pg_catalog.set_config('log_parameter_max_length', '0', true)
  end as length
)
select
  hidden.length is null
  and pg_catalog.current_setting('log_parameter_max_length') <> '0'
  and (
    pg_catalog.current_setting('log_statement') = 'all'
    or pg_catalog.current_setting('log_min_duration_statement') <> '-1'
  ) as is_logged
from hidden
