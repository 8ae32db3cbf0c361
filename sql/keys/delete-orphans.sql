-- Deletes keys that no message has.
-- Parameters: $1 ids of keys (uuid[])
-- Columns:    none
-- Needs:      the owner of the schema; the keys locked FOR UPDATE by an earlier statement of the transaction
delete from message_keys as keys
where keys.id = any ($1::uuid[])
  and not exists (select from messages where messages.id = keys.id)
  and not exists (select from messages_archive where messages_archive.id = keys.id)
