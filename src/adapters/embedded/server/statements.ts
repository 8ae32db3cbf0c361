import { cutText, frame, type Frame } from './frames.js';

/** `deallocate name` as a text: the name is one of SQL, not of this connection. */
const DEALLOCATE = /^\s*deallocate\s+(?:prepare\s+)?(?:"([^"]+)"|(\w+))\s*;?\s*$/i;

/**
 * The prepared statements of one connection. The session behind all connections has one set of names, and one statement
 * without a name: here each connection has its own, which can be prepared again.
 */
export class PreparedStatements {
  readonly #prefix: string;
  readonly #names = new Map<string, string>();
  readonly #prepared = new Map<string, Buffer>();

  constructor(connection: number) {
    this.#prefix = `aisec_${connection}_`;
  }

  /** The message with the name that its statement has in the session. */
  rename({ type, bytes, body }: Frame): Buffer {
    if (type === 'Q') return this.#deallocated(bytes, body);
    if (type === 'P') {
      const [name, rest] = cutText(body);
      const renamed = name === '' ? bytes : frame('P', this.#inSession(name), rest);
      this.#prepared.set(name, renamed);
      return renamed;
    }
    if (type === 'B') {
      const [portal, afterPortal] = cutText(body);
      const [name, rest] = cutText(afterPortal);
      return name === '' ? bytes : frame('B', portal, this.#inSession(name), rest);
    }
    if ((type === 'D' || type === 'C') && body[0] === STATEMENT) {
      const [name] = cutText(body.subarray(1));
      if (type === 'C') this.#prepared.delete(name);
      return name === '' ? bytes : frame(type, body.subarray(0, 1), this.#inSession(name));
    }
    return bytes;
  }

  /** To be sent after another connection used the session: the statement without a name was replaced. */
  get unnamed(): Buffer | undefined {
    return this.#prepared.get('');
  }

  /** All of them, after another connection deallocated them. */
  get all(): readonly Buffer[] {
    return [...this.#prepared.values()];
  }

  /** After this connection deallocated them. */
  forget(): void {
    this.#prepared.clear();
  }

  /** Messages that deallocate all of them. */
  get closing(): readonly Buffer[] {
    return [...this.#prepared.keys()]
      .filter((name) => name !== '')
      .map((name) => frame('C', Buffer.from([STATEMENT]), this.#inSession(name)));
  }

  #deallocated(bytes: Buffer, body: Buffer): Buffer {
    const found = DEALLOCATE.exec(cutText(body)[0]);
    const name = found?.[1] ?? found?.[2];
    if (name === undefined || !this.#prepared.has(name)) return bytes;
    this.#prepared.delete(name);
    return frame('Q', `deallocate "${this.#inSession(name)}"`);
  }

  /** Short: the session cuts names at 63 bytes. */
  #inSession(name: string): string {
    const known = this.#names.get(name) ?? `${this.#prefix}${this.#names.size}`;
    this.#names.set(name, known);
    return known;
  }
}

const STATEMENT = 'S'.charCodeAt(0);
