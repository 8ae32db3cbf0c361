-- How is the server set, for every session of this database?
-- Parameters: $1 names (text[])
-- Columns:    name, value (as SHOW prints it at the start of a session), base_value (bytes, milliseconds or a number, where it
--             is one), is_pending (changed,
--             and waits for a restart)
-- Needs:      nothing; a setting that this role may not see has no row
-- reset_val and not setting: aisec sets some for its own session.
select
  name,
  reset_val as value,
  case
    when vartype in ('integer', 'real') then
      reset_val::float8 * case unit
        when '8kB' then 8192
        when 'kB' then 1024
        when 'MB' then 1048576
        when 's' then 1000
        when 'min' then 60000
        else 1
      end
  end as base_value,
  pending_restart as is_pending
from pg_catalog.pg_settings
where name = any ($1::text[])
  or pending_restart
order by name
