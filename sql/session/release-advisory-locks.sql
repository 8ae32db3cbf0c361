-- Gives back each advisory lock of this session but those of the run, one hold of each.
-- Parameters: $1 the keys to keep (bigint[])
-- Columns:    is_released
-- Needs:      nothing
with held as (
  select
    locks.mode = 'ExclusiveLock' as is_exclusive,
    locks.objsubid = 1 as has_one_key,
    (locks.classid::bigint << 32) | locks.objid::bigint as key,
    (locks.classid::bigint - case when locks.classid::bigint > 2147483647 then 4294967296 else 0 end)::integer as first_key,
    (locks.objid::bigint - case when locks.objid::bigint > 2147483647 then 4294967296 else 0 end)::integer as second_key
  from pg_catalog.pg_locks as locks
  where locks.locktype = 'advisory'
    and locks.pid = pg_catalog.pg_backend_pid()
    and locks.granted
)
select
  case
    when held.has_one_key and held.is_exclusive then pg_catalog.pg_advisory_unlock(held.key)
    when held.has_one_key then pg_catalog.pg_advisory_unlock_shared(held.key)
    when held.is_exclusive then pg_catalog.pg_advisory_unlock(held.first_key, held.second_key)
    else pg_catalog.pg_advisory_unlock_shared(held.first_key, held.second_key)
  end as is_released
from held
where not (held.has_one_key and held.key = any ($1::bigint[]))
