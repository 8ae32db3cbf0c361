-- Gives settings of the transaction the values back that they had before a search.
-- Parameters: $1 the values by name (json; null: the setting was not known)
-- Columns:    none that matter
-- Needs:      nothing
select pg_catalog.set_config(previous.key, previous.value, true)
from pg_catalog.json_each_text($1::json) as previous
where previous.value is not null
