-- What of the whole schema matters to a move between messages and messages_archive?
-- Parameters: none
-- Columns:    now_ms (epoch of the server's clock), role_name, owner_name, default_partition, reference_tables (text[]),
--             not_owned (text[]: tables to be locked that the role does not own), row_security_on (text[]),
--             foreign_keys (json: table, name, definition) that point at messages or a partition,
--             column_faults (json: name, onMessages, onArchive, addition: to the one that lacks it), schema_name, deadlock_timeout_ms,
--             taken_names (text[]: relations that are named like a month and do not belong to the archive)
-- Needs:      the owner of the schema
with roots as (
  select 'messages'::regclass as relation
  union all
  select 'messages_archive'::regclass
),
columns as (
  select
    attribute.attrelid as relation,
    attribute.attname as name,
    pg_catalog.format_type(attribute.atttypid, attribute.atttypmod)
      || case when attribute.attcollation <> 0 and attribute.attcollation <> type.typcollation
        then ' collate ' || attribute.attcollation::regcollation::text else '' end
      || case when attribute.attgenerated = '' then '' else ' generated' end
      || case when attribute.attnotnull then ' not null' else '' end as definition,
    -- What adds it to the other table; null where rows that are there need a value.
    case when attribute.attidentity = '' and (not attribute.attnotnull or held.adbin is not null) then
      pg_catalog.format_type(attribute.atttypid, attribute.atttypmod)
      || case when attribute.attcollation <> 0 and attribute.attcollation <> type.typcollation
        then ' collate ' || attribute.attcollation::regcollation::text else '' end
      || coalesce(
        case attribute.attgenerated
          when '' then ' default ' || pg_catalog.pg_get_expr(held.adbin, held.adrelid)
          when 's' then ' generated always as (' || pg_catalog.pg_get_expr(held.adbin, held.adrelid) || ') stored'
          else ' generated always as (' || pg_catalog.pg_get_expr(held.adbin, held.adrelid) || ') virtual'
        end,
        ''
      )
      || case when attribute.attnotnull then ' not null' else '' end
    end as addition
  from pg_catalog.pg_attribute as attribute
  join pg_catalog.pg_type as type on type.oid = attribute.atttypid
  left join pg_catalog.pg_attrdef as held on held.adrelid = attribute.attrelid and held.adnum = attribute.attnum
  where attribute.attrelid in (select relation from roots)
    and attribute.attnum > 0
    and not attribute.attisdropped
)
select
  (extract(epoch from pg_catalog.clock_timestamp()) * 1000)::float8 as now_ms,
  current_user::text as role_name,
  pg_catalog.current_schema()::text as schema_name,
  (
    select pg_catalog.pg_get_userbyid(class.relowner)::text
    from pg_catalog.pg_class as class
    where class.oid = 'messages_archive'::regclass
  ) as owner_name,
  (
    select bounds.partition::text
    from aisec_message_partition_bounds() as bounds
    where bounds.is_default
      and bounds.parent = 'messages'::regclass
  ) as default_partition,
  aisec_message_reference_tables()::text[] as reference_tables,
  array(
    select class.oid::regclass::text
    from pg_catalog.pg_class as class
    where class.oid = any (
        aisec_message_reference_tables() || array['messages'::regclass, 'messages_archive'::regclass]
      )
      and not pg_catalog.pg_has_role(class.relowner, 'usage')
    order by 1
  ) as not_owned,
  array(
    select roots.relation::text
    from roots
    where pg_catalog.row_security_active(roots.relation)
    order by 1
  ) as row_security_on,
  (
    select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'table', keys.conrelid::regclass::text,
      'name', pg_catalog.quote_ident(keys.conname),
      'definition', pg_catalog.pg_get_constraintdef(keys.oid)
    )), '[]')
    from pg_catalog.pg_constraint as keys
    where keys.contype = 'f'
      and keys.conparentid = 0
      and (
        keys.confrelid in (select relation from roots)
        or keys.confrelid in (select bounds.partition from aisec_message_partition_bounds() as bounds)
      )
  ) as foreign_keys,
  (
    select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', pg_catalog.quote_ident(coalesce(live.name, archived.name)),
      'onMessages', live.definition,
      'onArchive', archived.definition,
      'addition', coalesce(live.addition, archived.addition)
    )), '[]')
    from (select * from columns where relation = 'messages'::regclass) as live
    full join (select * from columns where relation = 'messages_archive'::regclass) as archived
      on archived.name = live.name
    where live.definition is distinct from archived.definition
  ) as column_faults,
  (
    select setting::integer
    from pg_catalog.pg_settings
    where name = 'deadlock_timeout'
  ) as deadlock_timeout_ms,
  array(
    select class.relname::text
    from pg_catalog.pg_class as class
    where class.relnamespace = pg_catalog.quote_ident(pg_catalog.current_schema())::regnamespace
      and class.relname ~ '^messages(_archive)?_y\d{4}m\d{2}$'
      and class.oid not in (
        select bounds.partition
        from aisec_message_partition_bounds() as bounds
        where bounds.parent = 'messages_archive'::regclass
      )
  ) as taken_names
