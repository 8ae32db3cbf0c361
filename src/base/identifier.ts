/** A name in quotes, as SQL has it. */
export type QuotedName = `"${string}"`;

/** A name quoted as an SQL identifier, whatever it contains. */
export function quoteIdentifier(name: string): QuotedName {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A table with its schema as SQL has it. */
export function quotedTable({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}

/** A text quoted as an SQL literal; safe with standard_conforming_strings on or off. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** Reserved words, which a column or table cannot be named without quotes: pg_get_keywords() of PostgreSQL 18, R and T. */
const RESERVED = new Set(
  (
    'all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column ' +
    'concurrently constraint create cross current_catalog current_date current_role current_schema current_time ' +
    'current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from ' +
    'full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime ' +
    'localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning right ' +
    'select session_user similar some symmetric system_user table tablesample then to trailing true union unique user using ' +
    'variadic verbose when where window with'
  ).split(' '),
);

/** A name as a person writes it in SQL: quoted only where it has to be. */
export function nameInSql(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) && !RESERVED.has(name) ? name : quoteIdentifier(name);
}
