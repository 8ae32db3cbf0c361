import { quoteIdentifier } from '../../base/identifier.js';
import { loadParser } from './statements.js';

/** Relations that are to be made in another schema than the one that a text names. */
export interface Relocation {
  /** `schema name`, as they are, not quoted. */
  readonly relations: ReadonlySet<string>;
  readonly to: string;
  /** New names of those that are to have another one there, by `schema name`, as they are. */
  readonly names?: ReadonlyMap<string, string>;
}

interface Token {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly tokenName?: string;
}

const IDENTIFIER = /^(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)$/u;
const QUALIFIED = /^("(?:[^"]|"")+"|[^".']+)\.("(?:[^"]|"")+"|[^".']+)$/;

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/** A name that is followed by its arguments; `references app.users(id)` has none. */
function isCall(tokens: readonly Token[], first: number): boolean {
  const [name, next] = [tokens[first + 2], tokens[first + 3]];
  return next?.text === '(' && next.start === name?.end && tokens[first - 1]?.text.toLowerCase() !== 'references';
}

/** A text that is read as a relation's name: `'…'::regclass`, or the first argument of setval(). */
function isRelationText(tokens: readonly Token[], index: number): boolean {
  if (tokens[index + 1]?.text === '::' && tokens[index + 2]?.text === 'regclass') return true;
  return tokens[index - 1]?.text === '(' && tokens[index - 2]?.text === 'setval';
}

/**
 * The text with another schema, and where wanted another name, in each place that names one of the relations with its
 * schema, as pg_dump writes them: in statements, and in texts such as `'app.users_id_seq'::regclass`.
 */
export async function relocate(sql: string, { relations, to, names }: Relocation): Promise<string> {
  const { scan } = await loadParser();
  const { tokens } = (await scan(sql)) as { tokens: readonly Token[] };
  const target = quoteIdentifier(to);
  /** What stands for it then, as SQL; undefined: it is none of the relations. */
  const relocated = (schema: string, name: string): string | undefined => {
    const there = `${unquoted(schema)} ${unquoted(name)}`;
    if (!relations.has(there)) return undefined;
    const other = names?.get(there);
    return `${target}.${other === undefined ? name : quoteIdentifier(other)}`;
  };
  // The scanner counts bytes of UTF-8.
  const bytes = Buffer.from(sql, 'utf8');
  const parts: string[] = [];
  let end = 0;
  const replace = (first: Token, last: Token, text: string): void => {
    parts.push(bytes.toString('utf8', end, first.start), text);
    ({ end } = last);
  };
  for (const [index, token] of tokens.entries()) {
    if (token.tokenName === 'SCONST') {
      if (!isRelationText(tokens, index)) continue;
      const [, schema, name] = QUALIFIED.exec(token.text.slice(1, -1).replaceAll("''", "'")) ?? [];
      const place = schema === undefined || name === undefined ? undefined : relocated(schema, name);
      if (place !== undefined) replace(token, token, `'${place.replaceAll("'", "''")}'`);
      continue;
    }
    const [dot, name] = [tokens[index + 1], tokens[index + 2]];
    if (dot?.text !== '.' || name === undefined || tokens[index - 1]?.text === '.') continue;
    if (!IDENTIFIER.test(token.text) || isCall(tokens, index)) continue;
    const place = relocated(token.text, name.text);
    if (place !== undefined) replace(token, name, place);
  }
  parts.push(bytes.toString('utf8', end));
  return parts.join('');
}
