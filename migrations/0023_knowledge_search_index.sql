-- The index of the search by words, built beside readers and writers: the table may have rows.
--
-- Terms of new rows wait in a list until there are enough of them to be sorted in (fastupdate), which makes a write
-- cheaper than a search dearer.

-- aisec: no-transaction
-- Up Migration

create index concurrently idx_knowledge_base_terms
  on knowledge_base
  using gin (array_to_tsvector(aisec_text_terms(content, false)));

comment on index idx_knowledge_base_terms is 'Search by words: find_knowledge. Dropped, an insert is cheaper and such a search fails.';

-- Down Migration

drop index concurrently idx_knowledge_base_terms;
