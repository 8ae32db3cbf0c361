-- What is known of a relation?
-- Parameters: $1 name, as SQL takes it (text)
-- Columns:    oid, schema, name, sqlName (quoted where it has to be), kind (pg_class.relkind), parent, partitions (text[], leaves),
--             columns, indexes, constraints (json), indexedTable, indexDefinition, options
-- Needs:      nothing
select
  class.oid::bigint::float8 as oid,
  namespace.nspname::text as schema,
  class.relname::text as name,
  class.oid::regclass::text as "sqlName",
  class.relkind::text as kind,
  (
    select inheritance.inhparent::regclass::text
    from pg_catalog.pg_inherits as inheritance
    where inheritance.inhrelid = class.oid
    limit 1
  ) as parent,
  array(
    select tree.relid::regclass::text
    from pg_catalog.pg_partition_tree(class.oid) as tree
    where tree.isleaf
      and tree.relid <> class.oid
    order by tree.relid
  ) as partitions,
  coalesce((
    select pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', attribute.attname,
      'type', pg_catalog.format_type(attribute.atttypid, attribute.atttypmod),
      'isNotNull', attribute.attnotnull
    ) order by attribute.attnum)
    from pg_catalog.pg_attribute as attribute
    where attribute.attrelid = class.oid
      and attribute.attnum > 0
      and not attribute.attisdropped
  ), '[]') as columns,
  coalesce((
    select pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', index_class.relname,
      'isUnique', index.indisunique,
      'isPrimary', index.indisprimary,
      'columns', array(
        select attribute.attname
        from pg_catalog.unnest(index.indkey::int2[]) with ordinality as key (attnum, position)
        join pg_catalog.pg_attribute as attribute
          on attribute.attrelid = index.indrelid
          and attribute.attnum = key.attnum
        order by key.position
      )
    ) order by index_class.relname)
    from pg_catalog.pg_index as index
    join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
    where index.indrelid = class.oid
  ), '[]') as indexes,
  coalesce((
    select pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', con.conname,
      'type', con.contype,
      'isValidated', con.convalidated,
      'definition', pg_catalog.pg_get_constraintdef(con.oid)
    ) order by con.conname)
    from pg_catalog.pg_constraint as con
    where con.conrelid = class.oid
  ), '[]') as constraints,
  (
    select indexed.oid::regclass::text
    from pg_catalog.pg_index as index
    join pg_catalog.pg_class as indexed on indexed.oid = index.indrelid
    where index.indexrelid = class.oid
  ) as "indexedTable",
  pg_catalog.pg_get_indexdef(class.oid) as "indexDefinition",
  coalesce(class.reloptions, '{}') as options
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where class.oid = pg_catalog.to_regclass($1)
