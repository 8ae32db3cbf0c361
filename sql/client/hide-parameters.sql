-- Keeps bind parameters out of the server's log for the rest of the transaction, as far as this role may say so.
-- Parameters: none
-- Columns:    log_parameter_max_length (null when the role may not change it)
-- Needs:      nothing; SET on log_parameter_max_length to hide them:
--             grant set on parameter log_parameter_max_length to ROLE;
select
  case
    when pg_catalog.has_parameter_privilege('log_parameter_max_length', 'set')
    then pg_catalog.set_config('log_parameter_max_length', '0', true)
  end as log_parameter_max_length
