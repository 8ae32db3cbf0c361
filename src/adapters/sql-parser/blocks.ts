import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';
import { loadParser, parseStatements, type Statement } from './statements.js';
import { all, as, statementOf } from './nodes.js';

/** A statement in the body of a DO block, or the reason why it is not known before it runs. */
export type BlockPart =
  | { readonly kind: 'statement'; readonly statement: Statement }
  /** `offset`: characters before it in the text of the DO statement. */
  | { readonly kind: 'unknown'; readonly offset: number; readonly reason: string };

interface FoundQuery {
  readonly query: string;
  readonly line: number;
  readonly isDynamic: boolean;
}

const PLACEHOLDER = /%(?:(\d+)\$)?([IsL])/g;

/**
 * What format() makes of a text and its arguments. An argument that is known only when it runs leaves its placeholder as
 * a name, which is enough for the parser.
 */
function filledIn(pattern: string, values: readonly (string | undefined)[]): string {
  let next = 0;
  return pattern.replaceAll(PLACEHOLDER, (_match, position: string | undefined, kind: string) => {
    next = position === undefined ? next + 1 : Number(position);
    const value = values[next - 1];
    if (value === undefined) return kind === 'L' ? `'%L'` : `"%${kind}"`;
    if (kind === 'L') return quoteLiteral(value);
    return kind === 'I' ? quoteIdentifier(value) : value;
  });
}

/** Whether a text still has the name of something that is known only when it runs. */
export function hasUnknownName(text: string): boolean {
  return /"%[Is]"/.test(text);
}

function collectQueries(value: unknown, line: number, found: FoundQuery[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collectQueries(item, line, found);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    const at = (child as { readonly lineno?: number } | null)?.lineno ?? line;
    const part = child as { readonly sqlstmt?: unknown; readonly query?: unknown };
    if (key === 'PLpgSQL_stmt_execsql') found.push({ query: queryOf(part.sqlstmt), line: at, isDynamic: false });
    if (key === 'PLpgSQL_stmt_dynexecute') found.push({ query: queryOf(part.query), line: at, isDynamic: true });
    collectQueries(child, at, found);
  }
}

function queryOf(expression: unknown): string {
  return (expression as { readonly PLpgSQL_expr?: { readonly query?: string } } | undefined)?.PLpgSQL_expr?.query ?? '';
}

/** The text that EXECUTE runs, as far as it is written out: a literal, or format() of one. */
async function writtenOut(expression: string): Promise<string | undefined> {
  const parsed = await parseStatements(`select ${expression}`);
  if ('error' in parsed) return undefined;
  const [statement] = parsed.statements;
  const select = statement && statementOf('SelectStmt', statement);
  const value = all('ResTarget', select?.targetList)[0]?.val;
  const literal = as('A_Const', value)?.sval?.sval;
  if (literal !== undefined) return literal;
  const call = as('FuncCall', value);
  const name = all('String', call?.funcname).at(-1)?.sval;
  const pattern = name === 'format' ? as('A_Const', call?.args?.[0])?.sval?.sval : undefined;
  if (pattern === undefined) return undefined;
  const values = (call?.args ?? []).slice(1).map((argument) => as('A_Const', argument)?.sval?.sval);
  return filledIn(pattern, values);
}

/** Characters before the line `line` (from 1) of a text. */
function offsetOfLine(text: string, line: number): number {
  return text
    .split('\n')
    .slice(0, Math.max(0, line - 1))
    .reduce((sum, before) => sum + before.length + 1, 0);
}

/**
 * The statements of a DO block, found by PL/pgSQL's own parser; offsets count from the start of the DO statement's text.
 * Text that is put together when the block runs is unknown, and said to be.
 */
export async function blockParts(block: Pick<Statement, 'node' | 'tree' | 'text'>): Promise<readonly BlockPart[]> {
  const definitions = all('DefElem', statementOf('DoStmt', block)?.args);
  const body = as('String', definitions.find(({ defname }) => defname === 'as')?.arg)?.sval;
  if (body === undefined) return [];
  const bodyOffset = block.text.indexOf(body);
  const { parsePlPgSQL } = await loadParser();
  const found: FoundQuery[] = [];
  try {
    collectQueries(await parsePlPgSQL(block.text), 1, found);
  } catch (error) {
    return [{ kind: 'unknown', offset: 0, reason: `the block could not be read: ${(error as Error).message}` }];
  }
  const parts: BlockPart[] = [];
  for (const { query, line, isDynamic } of found) {
    const lineOffset = offsetOfLine(body, line);
    const start = query.split('\n')[0]?.trim() ?? '';
    const inBody = Math.max(lineOffset, body.indexOf(start, lineOffset));
    const offset = bodyOffset < 0 ? 0 : bodyOffset + inBody;
    const text = isDynamic ? await writtenOut(query) : query;
    const parsed = text === undefined ? undefined : await parseStatements(text);
    if (parsed === undefined || 'error' in parsed)
      parts.push({ kind: 'unknown', offset, reason: 'EXECUTE of a text that is made when it runs' });
    else
      for (const statement of parsed.statements) parts.push({ kind: 'statement', statement: { ...statement, offset } });
  }
  return parts;
}
