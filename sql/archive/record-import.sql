-- Writes the row of an import.
-- Parameters: $1 month (date), $2 partition (text), $3 messages imported (bigint), $4 absolute path (text),
--             $5 SHA-256 (text), $6 messages in the file (bigint), $7 start (timestamptz), $8 version of aisec (text)
-- Columns:    none
-- Needs:      the owner of the schema
insert into archive_journal
  (month, action, partition_name, row_count, row_count_is_exact, file_name, file_sha256, file_rows, started_at,
   finished_at, tool_version)
values
  ($1, 'import', $2, $3, true, $4, $5, $6, $7, pg_catalog.clock_timestamp(), $8)
