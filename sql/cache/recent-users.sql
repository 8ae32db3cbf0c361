-- Whose rows are likely to be asked for next?
-- Parameters: $1 how many (int)
-- Columns:    id (uuid), those who logged in last first
-- Needs:      SELECT on users
select users.id
from users
where users.is_active
order by users.last_login_at desc nulls last, users.created_at desc, users.id
limit $1
