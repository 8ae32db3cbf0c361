-- Notes that a month is being pruned, before the first of its keys goes.
-- Parameters: $1 month (date), $2 partition (text), $3 messages (bigint or null), $4 whether that is exact (boolean),
--             $5 cutoff (timestamptz), $6 export (text or null), $7 its SHA-256 (text or null), $8 version of aisec (text)
-- Columns:    id (text)
-- Needs:      the owner of the schema
insert into archive_journal
  (month, action, partition_name, row_count, row_count_is_exact, cutoff, file_name, file_sha256, tool_version)
values
  ($1, 'prune', $2, $3, $4, $5, $6, $7, $8)
returning id::text as id
