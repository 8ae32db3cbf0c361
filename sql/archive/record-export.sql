-- Remembers an export.
-- Parameters: $1 month (date), $2 partition (text), $3 messages in the file (bigint), $4 absolute path (text),
--             $5 SHA-256 (text), $6 start (timestamptz), $7 version of aisec (text)
-- Columns:    none
-- Needs:      the owner of the schema
insert into archive_journal
  (month, action, partition_name, row_count, row_count_is_exact, file_name, file_sha256, file_rows, started_at,
   finished_at, tool_version)
values
  ($1, 'export', $2, $3, true, $4, $5, $3, $6, pg_catalog.clock_timestamp(), $7)
