-- Which publications publish messages, messages_archive or one of their partitions, and how?
-- Parameters: $1 schema (text)
-- Columns:    publication (quoted), is_via_root, covers_new_tables (FOR ALL TABLES, or for the schema),
--             publishes_messages, publishes_archive, partition (text, quoted, published by its own name; null when none
--             is), publishes_deletes, publishes (text: the operations), tables (text: list of what it publishes, the
--             partitions of messages and messages_archive by the names of the two)
-- Needs:      nothing
with roots as materialized (
  select class.oid, class.relname
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where namespace.nspname = $1
    and class.relname in ('messages', 'messages_archive')
    and class.relkind = 'p'
),
publications as materialized (
  select
    publication.*,
    publication.puballtables or exists (
      select
      from pg_catalog.pg_publication_namespace as published
      join pg_catalog.pg_namespace as namespace on namespace.oid = published.pnnspid
      where published.pnpubid = publication.oid
        and namespace.nspname = $1
    ) as covers_new_tables,
    array(
      select published.prrelid
      from pg_catalog.pg_publication_rel as published
      where published.prpubid = publication.oid
    ) as relations
  from pg_catalog.pg_publication as publication
)
select
  pg_catalog.quote_ident(publications.pubname) as publication,
  publications.pubviaroot as is_via_root,
  publications.covers_new_tables,
  found.publishes_messages,
  found.publishes_archive,
  found.partition,
  publications.pubdelete as publishes_deletes,
  pg_catalog.concat_ws(
    ', ',
    case when publications.pubinsert then 'insert' end,
    case when publications.pubupdate then 'update' end,
    case when publications.pubdelete then 'delete' end,
    case when publications.pubtruncate then 'truncate' end
  ) as publishes,
  (
    select pg_catalog.string_agg(distinct coalesce(part.inhparent, class.oid)::regclass::text, ', ')
    from pg_catalog.pg_publication_tables as published
    join pg_catalog.pg_namespace as namespace on namespace.nspname = published.schemaname
    join pg_catalog.pg_class as class
      on class.relnamespace = namespace.oid
      and class.relname = published.tablename
    left join pg_catalog.pg_inherits as part
      on part.inhrelid = class.oid
      and part.inhparent in (select oid from roots)
    where published.pubname = publications.pubname
  ) as tables
from publications
cross join lateral (
  select
    publications.covers_new_tables
      or (select oid from roots where relname = 'messages') = any (publications.relations) as publishes_messages,
    publications.covers_new_tables
      or (select oid from roots where relname = 'messages_archive') = any (publications.relations) as publishes_archive,
    (
      select pg_catalog.format('%I.%I', namespace.nspname, class.relname)
      from pg_catalog.pg_inherits as part
      join pg_catalog.pg_class as class on class.oid = part.inhrelid
      join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
      where part.inhparent in (select oid from roots)
        and part.inhrelid = any (publications.relations)
      order by class.relname
      limit 1
    ) as partition
) as found
where found.publishes_messages
  or found.publishes_archive
  or found.partition is not null
order by publications.pubname
