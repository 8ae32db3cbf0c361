import type { FileHandle } from 'node:fs/promises';

import { INT_BYTES, OFFSET_BYTES, SIGN_BYTES, writeInt } from './fields.js';

const BUFFER_BYTES = 1024 * 1024;
/** Less room than this is not begun to be filled with data. */
const LEAST_CHUNK_BYTES = 64 * 1024;
/** Whether an entry has data, and where. */
const [POSITION_SET, NO_DATA] = [2, 3];

/** Reads more bytes into the buffer; 0: there are no more. */
export type Fill = (buffer: Buffer, at: number, most: number) => Promise<number>;

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}

/** A custom-format archive as it is written, from its start. */
export class ArchiveOutput {
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #used = 0;
  #written = 0;

  constructor(private readonly file: FileHandle) {}

  get position(): number {
    return this.#written + this.#used;
  }

  async bytes(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      const count = Math.min(await this.#room(1), bytes.length - from);
      bytes.copy(this.#buffer, this.#used, from, from + count);
      this.#used += count;
      from += count;
    }
  }

  async byte(value: number): Promise<void> {
    await this.#room(1);
    this.#buffer[this.#used] = value;
    this.#used += 1;
  }

  async int(value: number): Promise<void> {
    await this.#room(SIGN_BYTES + INT_BYTES);
    this.#used = writeInt(this.#buffer, this.#used, value);
  }

  /** Where the data of an entry will be said to stand, or that it has none. */
  async offset(hasData: boolean): Promise<void> {
    await this.#room(1 + OFFSET_BYTES);
    this.#buffer.fill(0, this.#used, this.#used + 1 + OFFSET_BYTES);
    this.#buffer[this.#used] = hasData ? POSITION_SET : NO_DATA;
    this.#used += 1 + OFFSET_BYTES;
  }

  /** All that there is to read, in pieces with their lengths, and a length of 0. @param ofNothing written where there is nothing */
  async data(fill: Fill, ofNothing: Buffer): Promise<void> {
    const length = SIGN_BYTES + INT_BYTES;
    const begin = this.position;
    for (;;) {
      const room = (await this.#room(length + LEAST_CHUNK_BYTES)) - length;
      let count = await fill(this.#buffer, this.#used + length, room);
      if (count === 0 && this.position === begin) count = ofNothing.copy(this.#buffer, this.#used + length);
      writeInt(this.#buffer, this.#used, count);
      this.#used += length + count;
      if (count === 0) return;
    }
  }

  /** Writes what was still to be said of the data of an entry, at the place that `offset` left for it. */
  async setOffset(place: number, position: number): Promise<void> {
    const bytes = Buffer.alloc(OFFSET_BYTES);
    bytes.writeBigUInt64LE(BigInt(position));
    await writeAll(this.file, bytes, place + 1);
  }

  async flush(): Promise<void> {
    await writeAll(this.file, this.#buffer.subarray(0, this.#used), this.#written);
    this.#written += this.#used;
    this.#used = 0;
  }

  async #room(least: number): Promise<number> {
    if (BUFFER_BYTES - this.#used < least) await this.flush();
    return BUFFER_BYTES - this.#used;
  }
}
