-- What have the statements since the session began left in it that a next one would see?
-- Parameters: $1 names of the settings that the session has by itself (text[]), $2 their values (text[]), $3 the keys of the
--             advisory locks of the run (bigint[])
-- Columns:    kind (setting, temporary relation, advisory lock, prepared statement, cursor, channel), name
-- Needs:      nothing
select 'setting' as kind, settings.name
from pg_catalog.pg_settings as settings
left join rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) as own (name, value)
  on pg_catalog.lower(own.name) = pg_catalog.lower(settings.name)
where settings.source = 'session'
  and settings.name not in ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')
  and settings.setting is distinct from own.value
union all
select 'temporary relation', class.relname::text
from pg_catalog.pg_class as class
where class.relnamespace = pg_catalog.pg_my_temp_schema()
  and class.relkind in ('r', 'v', 'S')
union all
select 'advisory lock', (locks.classid::bigint << 32 | locks.objid::bigint)::text
from pg_catalog.pg_locks as locks
where locks.locktype = 'advisory'
  and locks.pid = pg_catalog.pg_backend_pid()
  and not (locks.objsubid = 1 and (locks.classid::bigint << 32 | locks.objid::bigint) = any ($3::bigint[]))
union all
select 'prepared statement', statements.name
from pg_catalog.pg_prepared_statements as statements
where statements.from_sql
union all
select 'cursor', cursors.name
from pg_catalog.pg_cursors as cursors
where cursors.is_holdable
union all
select 'channel', channels.name
from pg_catalog.pg_listening_channels() as channels (name)
order by 1, 2
