import { quoteIdentifier } from '../../base/identifier.js';
import { loadParser } from './statements.js';

/** Relations that are to be made in another schema than the one that a text names. */
export interface Relocation {
  /** `schema name`, as they are, not quoted. */
  readonly relations: ReadonlySet<string>;
  readonly to: string;
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
 * The text with another schema in each place that names one of the relations with its schema, as pg_dump writes them: in
 * statements, and in texts such as `'app.users_id_seq'::regclass`.
 */
export async function relocate(sql: string, { relations, to }: Relocation): Promise<string> {
  const { scan } = await loadParser();
  const { tokens } = (await scan(sql)) as { tokens: readonly Token[] };
  const isOurs = (schema: string, name: string): boolean => relations.has(`${unquoted(schema)} ${unquoted(name)}`);
  const target = quoteIdentifier(to);
  // The scanner counts bytes of UTF-8.
  const bytes = Buffer.from(sql, 'utf8');
  const parts: string[] = [];
  let end = 0;
  const replace = (token: Token, text: string): void => {
    parts.push(bytes.toString('utf8', end, token.start), text);
    ({ end } = token);
  };
  for (const [index, token] of tokens.entries()) {
    if (token.tokenName === 'SCONST') {
      if (!isRelationText(tokens, index)) continue;
      const [, schema, name] = QUALIFIED.exec(token.text.slice(1, -1).replaceAll("''", "'")) ?? [];
      if (schema !== undefined && name !== undefined && isOurs(schema, name))
        replace(token, `'${`${target}.${name}`.replaceAll("'", "''")}'`);
      continue;
    }
    const [dot, name] = [tokens[index + 1], tokens[index + 2]];
    if (dot?.text !== '.' || name === undefined || tokens[index - 1]?.text === '.') continue;
    if (!IDENTIFIER.test(token.text) || !isOurs(token.text, name.text) || isCall(tokens, index)) continue;
    replace(token, target);
  }
  parts.push(bytes.toString('utf8', end));
  return parts.join('');
}
