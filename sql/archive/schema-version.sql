-- Which is the newest migration on record?
-- Parameters: none
-- Columns:    name
-- Needs:      the owner of the schema; the history table pgmigrations
select pg_catalog.max(name) as name
from pgmigrations
