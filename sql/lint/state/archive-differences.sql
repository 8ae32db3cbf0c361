-- What has messages that messages_archive has not, or the other way round?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
-- Months move between them by ATTACH, which needs equal columns, checks and not-null constraints, and indexes that serve.
with root (oid, is_live) as (
  values
    (pg_catalog.to_regclass(pg_catalog.format('%I.messages', $1::text)), true),
    (pg_catalog.to_regclass(pg_catalog.format('%I.messages_archive', $1::text)), false)
),
part (is_live, name, definition, add_sql) as (
  select
    root.is_live,
    'column ' || attribute.attname,
    pg_catalog.format_type(attribute.atttypid, attribute.atttypmod)
      || case when attribute.attnotnull then ' not null' else '' end
      || coalesce(' default ' || pg_catalog.pg_get_expr(defaults.adbin, defaults.adrelid), ''),
    pg_catalog.format(
      'alter table %I add column %I %s',
      case when root.is_live then 'messages_archive' else 'messages' end,
      attribute.attname,
      pg_catalog.format_type(attribute.atttypid, attribute.atttypmod)
    )
  from root
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = root.oid
  left join pg_catalog.pg_attrdef as defaults
    on defaults.adrelid = attribute.attrelid
    and defaults.adnum = attribute.attnum
  where attribute.attnum > 0
    and not attribute.attisdropped
  union all
  select
    root.is_live,
    'check ' || con.conname,
    pg_catalog.pg_get_constraintdef(con.oid),
    pg_catalog.format(
      'alter table %I add constraint %I %s not valid',
      case when root.is_live then 'messages_archive' else 'messages' end,
      con.conname,
      pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(con.oid), ' NOT VALID$', '')
    )
  from root
  join pg_catalog.pg_constraint as con on con.conrelid = root.oid
  where con.contype = 'c'
  union all
  select
    root.is_live,
    'index ' || pg_catalog.replace(index_class.relname, 'messages_archive', 'messages'),
    pg_catalog.substring(pg_catalog.pg_get_indexdef(index.indexrelid), ' (USING .*)$'),
    pg_catalog.format(
      'create index %I on only %I %s',
      case
        when root.is_live then pg_catalog.replace(index_class.relname, 'messages', 'messages_archive')
        else pg_catalog.replace(index_class.relname, 'messages_archive', 'messages')
      end,
      case when root.is_live then 'messages_archive' else 'messages' end,
      pg_catalog.substring(pg_catalog.pg_get_indexdef(index.indexrelid), ' (USING .*)$')
    )
  from root
  join pg_catalog.pg_index as index on index.indrelid = root.oid
  join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
)
select
  coalesce(live.name, archived.name) as object,
  pg_catalog.split_part(coalesce(live.name, archived.name), ' ', 2) as name,
  case when live.name is null then 'messages_archive' else 'messages' end as table_name,
  case
    when archived.name is null then pg_catalog.format('messages has the %s, and messages_archive has not', live.name)
    when live.name is null then pg_catalog.format('messages_archive has the %s, and messages has not', archived.name)
    else pg_catalog.format('the %s is "%s" on messages and "%s" on messages_archive', live.name, live.definition, archived.definition)
  end as message,
  case
    when archived.name is null and live.add_sql is not null then live.add_sql || ';'
    when live.name is null and archived.add_sql is not null then archived.add_sql || ';'
  end as fix
from (select * from part where part.is_live) as live
full join (select * from part where not part.is_live) as archived on archived.name = live.name
where live.definition is distinct from archived.definition
  and (select pg_catalog.count(root.oid) from root) = 2
order by 1
