import { cutText, frame, type Frame } from './frames.js';
import type { PreparedStatements } from './statements.js';

/** One statement that reads rows from the client; PGlite ends when they are not there as it begins. */
const COPY_FROM_CLIENT = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*copy\b[^;]*\bfrom\s+stdin\b[^;]*;?\s*$/i;
const BINARY = /\bbinary\b/i;
/** What may change a setting without its command's name showing it. */
const MAY_SET = /\bset_config\b|\b(?:do|call)\b/i;
/** `app.user_id`: the catalog does not list settings of applications. */
const OWN_SETTING = /\b[a-z_]\w*\.[a-z_]\w*\b/gi;

/**
 * Answers a COPY that begins where none was expected; anywhere else it is ignored. Without it PGlite ends:
 * https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-COPY
 */
const COPY_GUARD = frame('f', 'its rows can be read only where COPY is the only statement of its message');

/** What is sent to the session in one go. */
export interface Batch {
  readonly bytes: Buffer;
  /** Whether the session answers that it is ready: the end of a statement, unless a transaction is open. */
  readonly isWhole: boolean;
  /** It uses the statement without a name, which an earlier batch prepared. */
  readonly needsUnnamed: boolean;
  /** The client was asked for its rows already. */
  readonly isCopy: boolean;
  readonly mayChangeSettings: boolean;
  /** Names in it that may be settings of an application. */
  readonly ownSettings: readonly string[];
}

/** Collects what one client sends until the session can be given it. */
export class BatchReader {
  readonly #statements: PreparedStatements;
  /** Answers the client at once. */
  readonly #answer: (bytes: Buffer) => void;
  #frames: Buffer[] = [];
  #texts: string[] = [];
  #firstUseOfUnnamed: 'prepared' | 'used' | undefined;
  #isCopy = false;

  constructor(statements: PreparedStatements, answer: (bytes: Buffer) => void) {
    this.#statements = statements;
    this.#answer = answer;
  }

  /** The batch that this message ends. */
  add(next: Frame): Batch | undefined {
    if (this.#isCopy) return this.#addToCopy(next);
    switch (next.type) {
      case 'Q': {
        const text = cutText(next.body)[0];
        this.#texts.push(text);
        this.#frames.push(this.#statements.rename(next));
        if (!COPY_FROM_CLIENT.test(text)) return this.#end(true, COPY_GUARD);
        this.#isCopy = true;
        this.#answer(frame('G', Buffer.from([BINARY.test(text) ? 1 : 0, 0, 0])));
        return undefined;
      }
      case 'S':
        return this.#end(true, COPY_GUARD, next.bytes);
      case 'H':
        return this.#end(false, next.bytes);
      case 'F':
        return this.#end(true, next.bytes);
      case 'd':
      case 'c':
      case 'f':
        return undefined;
      default:
        this.#note(next);
        this.#frames.push(this.#statements.rename(next));
        return undefined;
    }
  }

  #addToCopy(next: Frame): Batch | undefined {
    if (next.type === 'S' || next.type === 'H') return undefined;
    this.#frames.push(next.bytes);
    return next.type === 'c' || next.type === 'f' ? this.#end(true) : undefined;
  }

  #note({ type, body }: Frame): void {
    if (type === 'P') this.#texts.push(cutText(cutText(body)[1])[0]);
    const isUnnamed =
      (type === 'P' && body[0] === 0) ||
      (type === 'B' && cutText(body)[1][0] === 0) ||
      (type === 'D' && body.toString('latin1') === 'S\0');
    if (isUnnamed) this.#firstUseOfUnnamed ??= type === 'P' ? 'prepared' : 'used';
  }

  #end(isWhole: boolean, ...last: readonly Buffer[]): Batch {
    const text = this.#texts.join('\n');
    const mayChangeSettings = MAY_SET.test(text);
    const batch: Batch = {
      bytes: Buffer.concat([...this.#frames, ...last]),
      isWhole,
      needsUnnamed: this.#firstUseOfUnnamed === 'used',
      isCopy: this.#isCopy,
      mayChangeSettings,
      ownSettings: mayChangeSettings || /\bset\b/i.test(text) ? (text.match(OWN_SETTING) ?? []) : [],
    };
    [this.#frames, this.#texts, this.#firstUseOfUnnamed, this.#isCopy] = [[], [], undefined, false];
    return batch;
  }
}
