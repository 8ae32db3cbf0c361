-- In what does the protection of messages_archive differ from that of messages?
-- Parameters: $1 schema (text)
-- Columns:    policies_missing (text[], of messages, as what they say), policies_more (text[], of messages_archive: name);
--             grants_more (json: grantee, privilege: what the archive grants and messages does not);
--             columns (json: name, quoted where it has to be, live and archived: the definition, null where there is none; of those
--             that differ)
-- Needs:      nothing
-- No rows: one of the two tables is not there.
with roots as (
  select
    live.oid as live_oid,
    archive.oid as archive_oid
  from pg_catalog.pg_namespace as namespace
  join pg_catalog.pg_class as live on live.relnamespace = namespace.oid and live.relname = 'messages'
  join pg_catalog.pg_class as archive on archive.relnamespace = namespace.oid and archive.relname = 'messages_archive'
  where namespace.nspname = $1
),
policies as materialized (
  select
    policy.polrelid,
    policy.polname::text as name,
    pg_catalog.concat_ws(
      ' ',
      case when policy.polpermissive then 'permissive' else 'restrictive' end,
      policy.polcmd,
      (
        select pg_catalog.string_agg(coalesce(role.rolname, 'public'), ',' order by role.rolname)
        from pg_catalog.unnest(policy.polroles) as member (oid)
        left join pg_catalog.pg_roles as role on role.oid = member.oid
      ),
      pg_catalog.pg_get_expr(policy.polqual, policy.polrelid)
    ) as meaning,
    pg_catalog.pg_get_expr(policy.polwithcheck, policy.polrelid) as row_check
  from pg_catalog.pg_policy as policy
  where policy.polrelid in (select live_oid from roots union all select archive_oid from roots)
),
grants as materialized (
  select
    class.oid,
    coalesce(pg_catalog.pg_get_userbyid(nullif(entry.grantee, 0))::text, 'public') as grantee,
    entry.privilege_type
  from pg_catalog.pg_class as class
  cross join lateral pg_catalog.aclexplode(class.relacl) as entry
  where class.oid in (select live_oid from roots union all select archive_oid from roots)
    and entry.grantee <> class.relowner
),
columns as materialized (
  select
    attribute.attrelid,
    attribute.attname::text as name,
    pg_catalog.format_type(attribute.atttypid, attribute.atttypmod)
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
  where attribute.attrelid in (select live_oid from roots union all select archive_oid from roots)
    and attribute.attnum > 0
    and not attribute.attisdropped
)
select
  array(
    select live.name
    from policies as live
    where live.polrelid = roots.live_oid
      and not exists (
        select
        from policies as archived
        where archived.polrelid = roots.archive_oid
          and archived.meaning = live.meaning
      )
    order by 1
  ) as policies_missing,
  array(
    select archived.name
    from policies as archived
    where archived.polrelid = roots.archive_oid
      and not exists (
        select
        from policies as live
        where live.polrelid = roots.live_oid
          and live.meaning = archived.meaning
          -- Without a check of its own a policy holds for new rows as for old ones, which is never looser.
          and (archived.row_check is null or archived.row_check is not distinct from live.row_check)
      )
    order by 1
  ) as policies_more,
  (
    select coalesce(
      pg_catalog.json_agg(
        pg_catalog.json_build_object('grantee', more.grantee, 'privilege', more.privilege_type)
        order by more.grantee, more.privilege_type
      ),
      '[]'
    )
    from (
      select grantee, privilege_type
      from grants
      where oid = roots.archive_oid
      except
      select grantee, privilege_type
      from grants
      where oid = roots.live_oid
    ) as more
  ) as grants_more,
  (
    select coalesce(
      pg_catalog.json_agg(
        pg_catalog.json_build_object(
          'name', pg_catalog.quote_ident(coalesce(live.name, archived.name)),
          'live', live.definition,
          'archived', archived.definition,
          'addition', coalesce(live.addition, archived.addition)
        )
        order by coalesce(live.name, archived.name)
      ),
      '[]'
    )
    from (select name, definition, addition from columns where attrelid = roots.live_oid) as live
    full join (select name, definition, addition from columns where attrelid = roots.archive_oid) as archived
      on archived.name = live.name
    where live.definition is distinct from archived.definition
  ) as columns
from roots
