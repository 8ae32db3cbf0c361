-- How old the newest checkpoint is that a standby has replayed: its rows are no older.
-- Columns: age_ms.
-- Role: one that may execute pg_control_checkpoint(), as every role may unless that was revoked.
select pg_catalog.round(extract(epoch from pg_catalog.clock_timestamp() - checkpoint_time) * 1000) as age_ms
from pg_catalog.pg_control_checkpoint()
