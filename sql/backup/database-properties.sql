-- What belongs to a database and not to what is in it.
-- Parameters: $1 name of the database.
-- Columns: owner, connection_limit, comment, has_grants (false: PostgreSQL's defaults), grants (json: grantee,
-- null for every role; privilege; is_grantable), settings (json: role, null for all; name; value).
-- Role: any.
select
  pg_catalog.pg_get_userbyid(datdba)::text as owner,
  datconnlimit as connection_limit,
  pg_catalog.shobj_description(oid, 'pg_database') as comment,
  datacl is not null as has_grants,
  (
    select coalesce(
      pg_catalog.json_agg(
        pg_catalog.json_build_object(
          'grantee', case when acl.grantee = 0 then null else pg_catalog.pg_get_userbyid(acl.grantee)::text end,
          'privilege', acl.privilege_type,
          'isGrantable', acl.is_grantable
        )
      ),
      '[]'::json
    )
    from pg_catalog.aclexplode(datacl) as acl
    where acl.grantee <> datdba
  ) as grants,
  (
    select coalesce(
      pg_catalog.json_agg(
        pg_catalog.json_build_object(
          'role', case when setrole = 0 then null else pg_catalog.pg_get_userbyid(setrole)::text end,
          'name', pg_catalog.split_part(entry, '=', 1),
          'value', pg_catalog.substr(entry, pg_catalog.strpos(entry, '=') + 1)
        )
      ),
      '[]'::json
    )
    from pg_catalog.pg_db_role_setting
    cross join lateral pg_catalog.unnest(setconfig) as entry
    where setdatabase = pg_database.oid
  ) as settings
from pg_catalog.pg_database
where datname = $1
