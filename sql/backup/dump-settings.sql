-- Which settings of the role or the database must a session of pg_dump have otherwise, and how?
-- Parameters: none
-- Columns:    name (text), value (text)
-- Needs:      nothing
-- Limits under a second: those that are longer are lifted in time by pg_dump itself, and pg_dumpall reads for less.
select
  setting.name,
  case setting.name
    when 'quote_all_identifiers' then 'off'
    else '0'
  end as value
from pg_catalog.pg_settings as setting
where case
    when setting.name = 'quote_all_identifiers' then setting.reset_val = 'on'
    when setting.name in ('lock_timeout', 'statement_timeout', 'transaction_timeout') then
      setting.reset_val::bigint between 1 and 999
    else false
  end
order by setting.name
