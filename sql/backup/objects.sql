-- Every object of the database as a table of contents names it: kind, then `schema tag`.
-- Columns: kind (of a few groups), description.
-- Role: any. search_path must be empty, so that types print as pg_dump prints them.
select 'SCHEMA' as kind, '- ' || nspname as description
from pg_catalog.pg_namespace
union all
select 'EXTENSION', '- ' || extname
from pg_catalog.pg_extension
union all
select 'RELATION', nspname || ' ' || relname
from pg_catalog.pg_class
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where relkind in ('r', 'p', 'f', 'v', 'm', 'S')
union all
select
  'FUNCTION',
  nspname || ' ' || proname || '('
  || coalesce(
    (
      select pg_catalog.string_agg(pg_catalog.format_type(type, null), ', ' order by place)
      from pg_catalog.unnest(proargtypes) with ordinality as argument (type, place)
    ),
    ''
  )
  || ')'
from pg_catalog.pg_proc
join pg_catalog.pg_namespace on pg_namespace.oid = pronamespace
union all
select 'TYPE', nspname || ' ' || typname
from pg_catalog.pg_type
join pg_catalog.pg_namespace on pg_namespace.oid = typnamespace
union all
select 'COLLATION', nspname || ' ' || collname
from pg_catalog.pg_collation
join pg_catalog.pg_namespace on pg_namespace.oid = collnamespace
union all
select 'INDEX', nspname || ' ' || relname
from pg_catalog.pg_class
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where relkind in ('i', 'I')
union all
select 'STATISTICS', nspname || ' ' || stxname
from pg_catalog.pg_statistic_ext
join pg_catalog.pg_namespace on pg_namespace.oid = stxnamespace
union all
select 'POLICY', nspname || ' ' || relname || ' ' || polname
from pg_catalog.pg_policy
join pg_catalog.pg_class on pg_class.oid = polrelid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
union all
select 'CONSTRAINT', nspname || ' ' || relname || ' ' || conname
from pg_catalog.pg_constraint
join pg_catalog.pg_class on pg_class.oid = conrelid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
union all
select 'TRIGGER', nspname || ' ' || relname || ' ' || tgname
from pg_catalog.pg_trigger
join pg_catalog.pg_class on pg_class.oid = tgrelid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where not tgisinternal
union all
select 'RULE', nspname || ' ' || relname || ' ' || rulename
from pg_catalog.pg_rewrite
join pg_catalog.pg_class on pg_class.oid = ev_class
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
union all
select 'DEFAULT', nspname || ' ' || relname || ' ' || attname
from pg_catalog.pg_attrdef
join pg_catalog.pg_attribute on attrelid = adrelid and attnum = adnum
join pg_catalog.pg_class on pg_class.oid = adrelid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
union all
select 'PUBLICATION', '- ' || pubname
from pg_catalog.pg_publication
union all
select 'PUBLICATION TABLE', nspname || ' ' || pubname || ' ' || relname
from pg_catalog.pg_publication_rel
join pg_catalog.pg_publication on pg_publication.oid = prpubid
join pg_catalog.pg_class on pg_class.oid = prrelid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
union all
select 'FOREIGN DATA WRAPPER', '- ' || fdwname
from pg_catalog.pg_foreign_data_wrapper
union all
select 'SERVER', '- ' || srvname
from pg_catalog.pg_foreign_server
union all
select 'ACCESS METHOD', '- ' || amname
from pg_catalog.pg_am
union all
select 'PROCEDURAL LANGUAGE', '- ' || lanname
from pg_catalog.pg_language
union all
select 'EVENT TRIGGER', '- ' || evtname
from pg_catalog.pg_event_trigger
union all
select 'OPERATOR', nspname || ' ' || oprname
from pg_catalog.pg_operator
join pg_catalog.pg_namespace on pg_namespace.oid = oprnamespace
union all
select 'OPERATOR CLASS', nspname || ' ' || opcname
from pg_catalog.pg_opclass
join pg_catalog.pg_namespace on pg_namespace.oid = opcnamespace
union all
select 'OPERATOR FAMILY', nspname || ' ' || opfname
from pg_catalog.pg_opfamily
join pg_catalog.pg_namespace on pg_namespace.oid = opfnamespace
union all
select 'TEXT SEARCH PARSER', nspname || ' ' || prsname
from pg_catalog.pg_ts_parser
join pg_catalog.pg_namespace on pg_namespace.oid = prsnamespace
union all
select 'TEXT SEARCH TEMPLATE', nspname || ' ' || tmplname
from pg_catalog.pg_ts_template
join pg_catalog.pg_namespace on pg_namespace.oid = tmplnamespace
union all
select 'TEXT SEARCH DICTIONARY', nspname || ' ' || dictname
from pg_catalog.pg_ts_dict
join pg_catalog.pg_namespace on pg_namespace.oid = dictnamespace
union all
select 'TEXT SEARCH CONFIGURATION', nspname || ' ' || cfgname
from pg_catalog.pg_ts_config
join pg_catalog.pg_namespace on pg_namespace.oid = cfgnamespace
union all
select 'CONVERSION', nspname || ' ' || conname
from pg_catalog.pg_conversion
join pg_catalog.pg_namespace on pg_namespace.oid = connamespace
union all
select 'CAST', '- CAST (' || pg_catalog.format_type(castsource, null) || ' AS ' || pg_catalog.format_type(casttarget, null) || ')'
from pg_catalog.pg_cast
