-- The hash of a random password: 244 random bits, made and forgotten in the server.
-- Parameters: none
-- Columns:    password_hash (text)
-- Needs:      EXECUTE on hash_password, found through search_path
select hash_password(pg_catalog.gen_random_uuid()::text || pg_catalog.gen_random_uuid()::text) as password_hash
