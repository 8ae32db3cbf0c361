-- In what does the protection of messages_archive differ from that of messages?
-- Parameters: $1 schema (text)
-- Columns:    policies_missing (text[], of messages, as what they say), policies_more (text[], of messages_archive: name);
--             grants_more (json: grantee, privilege: what the archive grants and messages does not)
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
  ) as grants_more
from roots
