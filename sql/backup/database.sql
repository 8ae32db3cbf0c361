-- One database: who owns it, how large it is, and what its comment says.
-- Parameters: $1 name of the database.
-- Columns: owner, is_owned (the session's role may alter it), size_bytes (null without CONNECT), comment.
-- Role: any.
select
  pg_catalog.pg_get_userbyid(datdba)::text as owner,
  pg_catalog.pg_has_role(current_user, datdba, 'member') as is_owned,
  case
    when pg_catalog.has_database_privilege(oid, 'connect') then pg_catalog.pg_database_size(oid)
  end as size_bytes,
  pg_catalog.shobj_description(oid, 'pg_database') as comment
from pg_catalog.pg_database
where datname = $1
