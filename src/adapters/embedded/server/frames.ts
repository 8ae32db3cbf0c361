const TYPE_BYTES = 1;
const LENGTH_BYTES = 4;

/** One message of the wire protocol, whole: https://www.postgresql.org/docs/18/protocol-message-formats.html */
export interface Frame {
  /** Its first byte as a letter; empty for what comes before the session: a start-up packet and the like. */
  readonly type: string;
  readonly bytes: Buffer;
  readonly body: Buffer;
}

/** Cuts a stream of bytes into messages, wherever the network cut it. */
export class FrameReader {
  /** Packets before the session have no type. */
  isTyped: boolean;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor({ isTyped }: { readonly isTyped: boolean }) {
    this.isTyped = isTyped;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** The next whole message. @throws RangeError for a length that none can have: it is another protocol. */
  next(): Frame | undefined {
    const header = this.isTyped ? TYPE_BYTES + LENGTH_BYTES : LENGTH_BYTES;
    if (this.#size < header) return undefined;
    const first = this.#joined(header);
    const typeBytes = header - LENGTH_BYTES;
    const length = first.readInt32BE(typeBytes);
    if (length < LENGTH_BYTES || (!this.isTyped && length > LARGEST_UNTYPED)) throw new RangeError('no such message');
    const end = typeBytes + length;
    if (this.#size < end) return undefined;
    const whole = this.#joined(end);
    const bytes = whole.subarray(0, end);
    this.#chunks = whole.length > end ? [whole.subarray(end), ...this.#chunks.slice(1)] : this.#chunks.slice(1);
    this.#size -= end;
    return { type: bytes.toString('latin1', 0, typeBytes), bytes, body: bytes.subarray(header) };
  }

  /** The first chunk, with what follows as far as `size` needs it: a large message is copied once and not for each chunk. */
  #joined(size: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= size) return first;
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }
}

/** As in PostgreSQL: MAX_STARTUP_PACKET_LENGTH. */
const LARGEST_UNTYPED = 10_000;

export function frame(type: string, ...parts: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)));
  const header = Buffer.alloc(TYPE_BYTES + LENGTH_BYTES);
  header.write(type, 'latin1');
  header.writeInt32BE(LENGTH_BYTES + body.length, TYPE_BYTES);
  return Buffer.concat([header, body]);
}

/** The text up to the next zero byte, and what follows it. */
export function cutText(body: Buffer): readonly [text: string, rest: Buffer] {
  const end = body.indexOf(0);
  if (end === -1) return [body.toString(), Buffer.alloc(0)];
  return [body.toString('utf8', 0, end), body.subarray(end + 1)];
}

export interface ServerError {
  readonly severity: 'ERROR' | 'FATAL';
  readonly sqlState: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

export function errorFrame({ severity, sqlState, message, detail, hint }: ServerError): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${sqlState}`, `M${message}`];
  if (detail !== undefined) fields.push(`D${detail}`);
  if (hint !== undefined) fields.push(`H${hint}`);
  return frame('E', ...fields, Buffer.from([0]));
}

/** Outside of a transaction. */
export const READY = frame('Z', Buffer.from('I'));
