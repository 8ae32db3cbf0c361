-- Moves the next messages of a month to the archive and counts them in the journal, in one transaction.
-- Parameters: $1 source (text, quoted name of a partition), $2 month (date), $3 after (timestamptz), $4 before (timestamptz),
--             $5 most rows (bigint), $6 whether locked rows are skipped (boolean), $7 journal id (bigint),
--             $8 cutoff (timestamptz), $9 start of the action (timestamptz), $10 version of aisec (text)
-- Columns:    moved_rows, last_created_at (text)
-- Needs:      the owner of the schema
with moved as materialized (
  select moved_rows, last_created_at
  from aisec_move_messages_to_archive($1::regclass, $2::date, $3::timestamptz, $4::timestamptz, $5::bigint, $6::boolean)
),
noted as (
  insert into archive_journal
    (id, month, action, partition_name, row_count, row_count_is_exact, cutoff, started_at, finished_at, tool_version)
  select
    $7::bigint,
    $2::date,
    'move rows',
    aisec_message_partition_name('messages_archive'::regclass, $2::date),
    moved.moved_rows,
    true,
    $8::timestamptz,
    $9::timestamptz,
    pg_catalog.clock_timestamp(),
    $10
  from moved
  where moved.moved_rows > 0
  on conflict (id) do update
  set row_count = archive_journal.row_count + excluded.row_count,
      finished_at = excluded.finished_at
)
select
  moved.moved_rows::float8 as moved_rows,
  moved.last_created_at::text as last_created_at
from moved
