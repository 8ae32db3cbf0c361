/** What a custom-format and a directory-format archive of pg_dump are made of, from PostgreSQL 16 on. */
export const SIGN_BYTES = 1;
/** pg_dump writes the size of its integers and offsets into the head; these are those of every machine it is built for. */
export const INT_BYTES = 4;
export const OFFSET_BYTES = 8;

/** What the bytes end in the middle of; more of them have to be read. */
export class Truncated extends Error {}

/** Reads the fields of a table of contents, one after the other. @throws Truncated. */
export class FieldReader {
  #at: number;

  constructor(
    private readonly bytes: Buffer,
    start: number,
  ) {
    this.#at = start;
  }

  get position(): number {
    return this.#at;
  }

  int(): number {
    this.#require(SIGN_BYTES + INT_BYTES);
    const amount = this.bytes.readUInt32LE(this.#at + SIGN_BYTES);
    const isNegative = this.bytes[this.#at] !== 0;
    this.#at += SIGN_BYTES + INT_BYTES;
    return isNegative ? -amount : amount;
  }

  /** Null where there is none, which is not an empty one. */
  text(): string | null {
    const length = this.int();
    if (length < 0) return null;
    this.#require(length);
    this.#at += length;
    return this.bytes.toString('utf8', this.#at - length, this.#at);
  }

  skipText(): void {
    const length = Math.max(this.int(), 0);
    this.#require(length);
    this.#at += length;
  }

  #require(count: number): void {
    if (this.#at + count > this.bytes.length) throw new Truncated();
  }
}

/** An integer as pg_dump writes it; of an object id beyond 2^31 as a C program has it in an `int`. */
export function writeInt(target: Buffer, at: number, value: number): number {
  const signed = value | 0;
  target[at] = signed < 0 ? 1 : 0;
  target.writeUInt32LE(Math.abs(signed), at + SIGN_BYTES);
  return at + SIGN_BYTES + INT_BYTES;
}
