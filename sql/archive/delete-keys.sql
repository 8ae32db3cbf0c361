-- Deletes the keys of messages of one month.
-- Parameters: $1 ids (uuid[]), $2 first instant of the month (timestamptz), $3 of the next one (timestamptz)
-- Columns:    none; the count of rows is that of the keys
-- Needs:      the owner of the schema; plans without a sequential scan (enable_seqscan off)
delete from message_keys
using pg_catalog.unnest($1::uuid[]) as wanted (id)
where message_keys.id = wanted.id
  and message_keys.created_at >= $2::timestamptz
  and message_keys.created_at < $3::timestamptz
