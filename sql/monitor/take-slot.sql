-- Takes a time slot for a record of sizes, unless it has one.
-- Parameters: $1 slot (timestamptz), $2 measured_at (timestamptz), $3 database_bytes (bigint), $4 tool_version (text)
-- Columns:    slot; no row when there is a record of it. Waits for another transaction that is taking the same one.
-- Needs:      INSERT and SELECT on size_records, found through search_path
insert into size_records (slot, measured_at, database_bytes, tool_version)
values ($1, $2, $3, $4)
on conflict (slot) do nothing
returning slot
