-- Policies ask for the user without calling a function.
--
-- A function with a SET clause is never inlined, and starting it took 80 µs in every statement under row level security;
-- without one the planner puts its expression in its place (5 µs). The body is parsed here, once, so no search_path can
-- give its names another meaning (https://www.postgresql.org/docs/16/sql-createfunction.html).

-- Up Migration

create or replace function current_user_id()
  returns uuid
  language sql
  stable
  parallel safe
  return nullif(current_setting('app.current_user_id', true), '')::uuid;

-- Down Migration

create or replace function current_user_id()
  returns uuid
  language sql
  stable
  parallel safe
  set search_path from current
as $$
  select nullif(current_setting('app.current_user_id', true), '')::uuid
$$;
