-- Which of these extensions the server offers.
-- Parameters: $1 names of extensions (text[]).
-- Columns: name, default_version, versions (text[]), needs_superuser (of the default version, unless it is trusted).
-- Role: any.
select
  available.name::text as name,
  available.default_version,
  pg_catalog.array_agg(version.version order by version.version) as versions,
  coalesce(
    pg_catalog.bool_or(version.superuser and not version.trusted)
      filter (where version.version = available.default_version),
    false
  ) as needs_superuser
from pg_catalog.pg_available_extensions as available
join pg_catalog.pg_available_extension_versions as version on version.name = available.name
where available.name = any ($1::text[])
group by available.name, available.default_version
