-- In which columns do messages and messages_archive differ, so that no month can go from one to the other?
-- Parameters: $1 schema (text)
-- Columns:    name (text, quoted where it has to be), onMessages, onArchive (text: the definition, null where there is none),
--             addition (text: what adds it to the table that lacks it, null where rows that are there need a value)
-- Needs:      nothing
with columns as (
  select
    class.relname as relation,
    attribute.attname as name,
    printed.type
      || case when attribute.attgenerated = '' then '' else ' generated' end
      || case when attribute.attnotnull then ' not null' else '' end as definition,
    case when attribute.attidentity = '' and (not attribute.attnotnull or held.adbin is not null) then
      printed.type
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
  from pg_catalog.pg_namespace as namespace
  join pg_catalog.pg_class as class on class.relnamespace = namespace.oid
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
  join pg_catalog.pg_type as type on type.oid = attribute.atttypid
  left join pg_catalog.pg_attrdef as held on held.adrelid = attribute.attrelid and held.adnum = attribute.attnum
  cross join lateral (
    select
      pg_catalog.format_type(attribute.atttypid, attribute.atttypmod)
        || case when attribute.attcollation <> 0 and attribute.attcollation <> type.typcollation
          then ' collate ' || attribute.attcollation::pg_catalog.regcollation::text else '' end as type
  ) as printed
  where namespace.nspname = $1
    and class.relname in ('messages', 'messages_archive')
    and attribute.attnum > 0
    and not attribute.attisdropped
)
select
  pg_catalog.quote_ident(coalesce(live.name, archived.name)) as name,
  live.definition as "onMessages",
  archived.definition as "onArchive",
  coalesce(live.addition, archived.addition) as addition
from (select * from columns where relation = 'messages') as live
full join (select * from columns where relation = 'messages_archive') as archived on archived.name = live.name
where live.definition is distinct from archived.definition
  -- Without one of the tables nothing can be compared.
  and (select pg_catalog.count(distinct relation) from columns) = 2
order by coalesce(live.name, archived.name)
