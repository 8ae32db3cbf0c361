import type * as LibPgQuery from 'libpg-query';

import { loadOptional } from '../../base/package/optional-package.js';

export interface Statement {
  /** The statement without its semicolon and without what stands before it. */
  readonly text: string;
  /** Characters before it in the text that was parsed. */
  readonly offset: number;
  /** PostgreSQL's node: `IndexStmt`, `TransactionStmt` … */
  readonly node: string;
  readonly tree: Readonly<Record<string, unknown>>;
}

interface RawStatement {
  readonly stmt: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly stmt_location?: number;
  readonly stmt_len?: number;
}

export interface SqlSyntaxError {
  readonly message: string;
  /** Characters before the place of the error. */
  readonly offset: number;
}

export type ParseResult = { readonly statements: readonly Statement[] } | { readonly error: SqlSyntaxError };

interface ThrownSyntaxError {
  readonly message: string;
  readonly sqlDetails?: { readonly cursorPosition?: number };
}

/** Loaded at the first use, not with this file: it takes 60 ms, and most runs parse nothing. */
export async function loadParser(): Promise<typeof LibPgQuery> {
  const parser = await loadOptional('libpg-query', 'reading SQL', () => import('libpg-query'));
  await parser.loadModule();
  return parser;
}

/** Leading blanks and comments belong to no statement. */
const LEADING = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)+/;

/**
 * The statements of an SQL text, split by PostgreSQL's own parser (libpg_query), so that dollar quotes, BEGIN ATOMIC
 * and nested comments are what the server takes them for.
 *
 * @param before characters before it in a whole text, of which it is a piece: offsets count from the start of that.
 */
export async function parseStatements(sql: string, before = 0): Promise<ParseResult> {
  const { parse } = await loadParser();
  let raw: readonly RawStatement[];
  try {
    raw = ((await parse(sql)) as unknown as { stmts?: readonly RawStatement[] }).stmts ?? [];
  } catch (error) {
    const { message, sqlDetails } = error as ThrownSyntaxError;
    return { error: { message, offset: before + Math.max(0, sqlDetails?.cursorPosition ?? 0) } };
  }
  // The parser counts bytes of UTF-8.
  const bytes = Buffer.from(sql, 'utf8');
  let countedBytes = 0;
  let countedCharacters = 0;
  // Statements come in order, so each byte is counted once: 5000 of them take 0.4 s instead of 7.
  const charactersBefore = (byte: number): number => {
    countedCharacters += bytes.toString('utf8', countedBytes, byte).length;
    countedBytes = byte;
    return countedCharacters;
  };
  const statements = raw.map((entry) => {
    const start = entry.stmt_location ?? 0;
    const end = entry.stmt_len === undefined || entry.stmt_len === 0 ? bytes.length : start + entry.stmt_len;
    const whole = bytes.toString('utf8', start, end);
    const leading = LEADING.exec(whole)?.[0].length ?? 0;
    const [node = '', tree = {}] = Object.entries(entry.stmt)[0] ?? [];
    return {
      text: whole.slice(leading).trimEnd(),
      offset: before + charactersBefore(start) + leading,
      node,
      tree,
    };
  });
  return { statements };
}

/** The tokens of an SQL text without comments, for telling an edit of SQL from an edit of a comment. */
export async function sqlTokens(sql: string): Promise<readonly string[]> {
  const { scan } = await loadParser();
  const { tokens } = (await scan(sql)) as { tokens: readonly { readonly tokenName?: string; readonly text: string }[] };
  return tokens
    .filter((token) => token.tokenName !== 'SQL_COMMENT' && token.tokenName !== 'C_COMMENT')
    .map((token) => token.text);
}
