-- Keeps what staged messages refer to from being deleted until the transaction ends, as their foreign keys would; how
-- many of it exist?
-- Parameters: none
-- Columns:    conversations, parents (counts of those that exist), wanted_conversations, wanted_parents
-- Needs:      the owner of the schema; the table aisec_import of this transaction
with locked_conversations as materialized (
  select found.id
  from conversations as found
  where found.id = any (array(select distinct staged.conversation_id from aisec_import as staged))
  for key share
),
locked_parents as materialized (
  select found.id
  from message_keys as found
  where found.id = any (array(
    select distinct staged.parent_id
    from aisec_import as staged
    where staged.parent_id is not null
      and not exists (select from aisec_import as own where own.id = staged.parent_id)
  ))
  for key share
)
select
  (select count(*)::float8 from locked_conversations) as conversations,
  (select count(*)::float8 from locked_parents) as parents,
  (select count(distinct staged.conversation_id)::float8 from aisec_import as staged) as wanted_conversations,
  (
    select count(distinct staged.parent_id)::float8
    from aisec_import as staged
    where staged.parent_id is not null
      and not exists (select from aisec_import as own where own.id = staged.parent_id)
  ) as wanted_parents
