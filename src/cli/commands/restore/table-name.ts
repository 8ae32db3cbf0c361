import { AisecError } from '../../../base/errors.js';

export interface GivenTable {
  /** Undefined: the schema of the platform. */
  readonly schema: string | undefined;
  readonly name: string;
}

/** One name as psql reads it: `"` quotes, and `""` inside is one. Without quotes it is taken as it is. */
function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/** Reads `messages`, `app.messages`, `"odd name"."My.Table"`. @throws AisecError USAGE. */
export function tableOption(text: string): GivenTable {
  const part = String.raw`"(?:[^"]|"")+"|[^".]+`;
  const match = new RegExp(`^(?:(${part})\\.)?(${part})$`).exec(text);
  const [, schema, name] = match ?? [];
  if (name === undefined)
    throw new AisecError('USAGE', `invalid table name "${text}"`, {
      hint: 'Give messages, app.messages, or with quotes: \'"My Table"\'.',
    });
  return { schema: schema === undefined ? undefined : unquoted(schema), name: unquoted(name) };
}
