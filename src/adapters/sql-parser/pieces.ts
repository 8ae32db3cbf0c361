/** A part of an SQL text that begins and ends with a statement. */
export interface Piece {
  readonly text: string;
  /** Characters before it in the whole text. */
  readonly offset: number;
  /** How many statements it has when all of them are INSERT, as in a file of data; else undefined. */
  readonly inserts: number | undefined;
}

/** A text up to this size is one piece. Larger ones are data: PostgreSQL's parser takes 20 times their size for its trees. */
export const PIECE_CHARACTERS = 1024 * 1024;

const WORD = /[\w$\u0080-\uffff]+/y;
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const COMMENT_EDGE = /\/\*|\*\//g;
const ROUTINE = /^create (?:or replace )?(?:function|procedure)\b/;
/** How many words of a statement say what it is: CREATE OR REPLACE FUNCTION. */
const TELLING_WORDS = 4;

function after(text: string, sought: string, from: number): number {
  const found = text.indexOf(sought, from);
  return found === -1 ? text.length : found + sought.length;
}

/** Behind the string that begins at `start`; in E'...' a backslash escapes a quote. A doubled quote begins the next one. */
function afterString(text: string, start: number, isEscaped: boolean): number {
  if (!isEscaped) return after(text, "'", start + 1);
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text[index];
    if (character === '\\' || (character === "'" && text[index + 1] === "'")) index += 1;
    else if (character === "'") return index + 1;
  }
  return text.length;
}

/** Behind the comment that begins at `start`; it may hold others. */
function afterComment(text: string, start: number): number {
  let depth = 0;
  COMMENT_EDGE.lastIndex = start;
  for (let edge = COMMENT_EDGE.exec(text); edge !== null; edge = COMMENT_EDGE.exec(text)) {
    depth += edge[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.index + 2;
  }
  return text.length;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Where statements end, by the rules of psql: strings, comments, parentheses and the bodies of BEGIN ATOMIC. */
class Scanner {
  #words: readonly string[] = [];
  #depth = 0;
  #bodies = 0;

  /** The first word of the statement that the last call of `next` went through, in lower case. */
  firstWord = '';

  /** Behind the statement that begins at `start`, its semicolon included. */
  next(text: string, start: number): number {
    this.#words = [];
    this.#depth = this.#bodies = 0;
    let at = start;
    while (at < text.length) {
      const character = text.charAt(at);
      if (character === ';' && this.#depth === 0 && this.#bodies === 0) {
        at += 1;
        break;
      }
      at = this.#afterToken(text, at, character);
    }
    this.firstWord = this.#words[0] ?? '';
    return at;
  }

  #afterToken(text: string, at: number, character: string): number {
    if (character === "'") return afterString(text, at, false);
    if (character === '"') return after(text, '"', at + 1);
    if (character === '-' && text[at + 1] === '-') return after(text, '\n', at);
    if (character === '/' && text[at + 1] === '*') return afterComment(text, at);
    if (character === '(') this.#depth += 1;
    else if (character === ')') this.#depth = Math.max(0, this.#depth - 1);
    if (character === '$') {
      const tag = match(DOLLAR_TAG, text, at);
      return tag === undefined ? at + 1 : after(text, tag, at + tag.length);
    }
    // Blanks, commas and the like are the most.
    if (character <= '/' || (character >= ':' && character <= '@')) return at + 1;
    const word = match(WORD, text, at);
    if (word === undefined) return at + 1;
    const end = at + word.length;
    if (text[end] === "'" && (word === 'e' || word === 'E')) return afterString(text, end, true);
    if (this.#depth === 0) this.#note(word.toLowerCase());
    return end;
  }

  #note(word: string): void {
    if (this.#words.length < TELLING_WORDS) this.#words = [...this.#words, word];
    if (word !== 'begin' && word !== 'case' && word !== 'end') return;
    if (!ROUTINE.test(this.#words.join(' '))) return;
    if (word === 'begin' || (word === 'case' && this.#bodies > 0)) this.#bodies += 1;
    else if (word === 'end' && this.#bodies > 0) this.#bodies -= 1;
  }
}

/**
 * Cuts a large text between statements, so that it is parsed and sent in parts: whole, 50 MB would take gigabytes in the
 * parser, in the driver and in the server. Runs of INSERT are pieces of their own. The parser decides what a piece is; where
 * this has cut in the wrong place it reports an error.
 */
export function piecesOf(sql: string, size: number = PIECE_CHARACTERS): readonly Piece[] {
  if (sql.length <= size) return [{ text: sql, offset: 0, inserts: undefined }];
  if (lately?.sql !== sql || lately.size !== size) lately = { sql, size, pieces: [...cut(sql, size)] };
  return lately.pieces;
}

/** A file is checked, compared and run in pieces, one after the other. */
let lately: { readonly sql: string; readonly size: number; readonly pieces: readonly Piece[] } | undefined;

function* cut(sql: string, size: number): Generator<Piece> {
  const scanner = new Scanner();
  let [start, end, inserts] = [0, 0, 0];
  while (end < sql.length) {
    const next = scanner.next(sql, end);
    const isInsert = scanner.firstWord === 'insert';
    if (end > start && (isInsert !== inserts > 0 || next - start > size)) {
      yield { text: sql.slice(start, end), offset: start, inserts: inserts === 0 ? undefined : inserts };
      [start, inserts] = [end, 0];
    }
    if (isInsert) inserts += 1;
    end = next;
  }
  yield { text: sql.slice(start), offset: start, inserts: inserts === 0 ? undefined : inserts };
}
