-- Which of these roles exist, and may be given objects by the one who restores.
-- Parameters: $1 names of roles (text[]).
-- Columns: name, is_usable (a member of it, or a superuser).
-- Role: any.
select
  rolname::text as name,
  pg_catalog.pg_has_role(current_user, oid, 'member') as is_usable
from pg_catalog.pg_roles
where rolname = any ($1::text[])
