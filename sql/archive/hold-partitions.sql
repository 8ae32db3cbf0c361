-- Keeps every other session that maintains tables off the partitions of messages and messages_archive, as far as no session has
-- one in hand already. Readers and writers are not stopped.
-- Parameters: none
-- Columns:    none
-- Needs:      the owner of the schema, in a transaction
do $$
declare
  partition regclass;
begin
  for partition in
    select bounds.partition
    from aisec_message_partition_bounds() as bounds
  loop
    begin
      execute pg_catalog.format('lock table only %s in share update exclusive mode nowait', partition);
    exception
      when lock_not_available then
        null;
    end;
  end loop;
end
$$
