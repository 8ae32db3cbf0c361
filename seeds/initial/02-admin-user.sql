-- The first user. The password comes from `aisec seed`; there is none to know beforehand.
-- An admin who was given another name keeps the address, and is not made anew. Asked first, because hashing a password
-- for a row that is there takes a quarter of a second for nothing.
insert into users (username, email, password_hash, first_name, last_name, is_verified)
select
  'admin',
  'admin@ai-secretary.local',
  hash_password(current_setting('aisec.admin_password')),
  'Admin',
  'User',
  true
where not exists (
  select
  from users
  where username = 'admin'
    or email = 'admin@ai-secretary.local'
)
on conflict do nothing;
