-- Who restores, where, and what that role may do.
-- Columns: role_name, server_version (as 170011), is_superuser, can_create_databases, data_directory (null where the
-- role may not see it).
-- Role: any; data_directory needs pg_read_all_settings.
select
  current_user::text as role_name,
  pg_catalog.current_setting('server_version_num')::int as server_version,
  rolsuper as is_superuser,
  rolsuper or rolcreatedb as can_create_databases,
  (select setting from pg_catalog.pg_settings where name = 'data_directory') as data_directory
from pg_catalog.pg_roles
where rolname = current_user
