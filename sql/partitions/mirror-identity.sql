-- Are the triggers of a drain on the default partition those that were created, enabled always and never altered?
-- Parameters: $1 default partition (text, quoted name), $2 messages (text, quoted name), $3 names of the triggers and of
--             their functions (text[])
-- Columns:    identity (text; null unless each is there, enabled always, on the default partition of messages)
-- Needs:      nothing
-- Any ALTER writes a new version of the row, which xmin shows.
select
  case
    when pg_catalog.count(*) = pg_catalog.cardinality($3::text[])
      and pg_catalog.bool_and(trigger.tgenabled = 'A')
      and exists (
        select
        from pg_catalog.pg_partitioned_table as partitioned
        where partitioned.partrelid = $2::regclass
          and partitioned.partdefid = $1::regclass
      )
      then pg_catalog.string_agg(
        pg_catalog.concat_ws(
          ' ', trigger.tgrelid, trigger.oid, trigger.xmin, function.oid, function.xmin
        ),
        ', '
        order by trigger.tgname
      )
  end as identity
from pg_catalog.pg_trigger as trigger
join pg_catalog.pg_proc as function on function.oid = trigger.tgfoid
where trigger.tgrelid = $1::regclass
  and trigger.tgname = any ($3::text[])
