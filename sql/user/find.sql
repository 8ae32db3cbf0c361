-- Which user is meant?
-- Parameters: $1 id, username or e-mail address (text)
-- Columns:    id, username, email
-- Needs:      the owner of the schema; row_security off, so that a role that sees fewer rows fails
select
  id::text as id,
  username,
  email
from users
where id::text = pg_catalog.lower($1)
  or username = $1
  or pg_catalog.lower(email) = pg_catalog.lower($1)
order by users.id
