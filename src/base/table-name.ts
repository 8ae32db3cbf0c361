/** A table as a person names it; without a schema that of the platform is meant. */
export interface GivenTable {
  readonly schema: string | undefined;
  readonly name: string;
}

const PART = String.raw`"(?:[^"]|"")+"|[^".]+`;
const NAME = new RegExp(String.raw`^(?:(${PART})\.)?(${PART})$`);

/** One name as psql reads it: `"` quotes, and `""` inside is one. Without quotes it is taken as it is. */
function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/** Reads `messages`, `app.messages`, `"odd name"."My.Table"`; undefined for an invalid name. */
export function parseTableName(text: string): GivenTable | undefined {
  const [, schema, name] = NAME.exec(text) ?? [];
  if (name === undefined) return undefined;
  return { schema: schema === undefined ? undefined : unquoted(schema), name: unquoted(name) };
}
