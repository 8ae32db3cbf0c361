import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

import { HEAD_BYTES, readEntry, readHead, readPreamble, UnknownArchive, type Entry, type Head } from './contents.js';
import { Truncated } from './fields.js';

export const CONTENTS = 'toc.dat';
const BUFFER_BYTES = 64 * 1024;

/** An entry, and its bytes up to the name of its file. */
export interface EntryBytes extends Entry {
  readonly own: Buffer;
}

/** `toc.dat` of a directory archive, read from its start; memory holds the largest entry, not all of them. */
export class ContentsInput {
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(private readonly file: FileHandle) {}

  /** The head with all that stands before the first entry, and the number of entries. @throws UnknownArchive. */
  async preamble(): Promise<{ readonly head: Head; readonly bytes: Buffer; readonly count: number }> {
    while (this.#buffer.length < HEAD_BYTES && (await this.#more()));
    const head = readHead(this.#buffer);
    const { count, end } = await this.#whole(() => readPreamble(this.#buffer));
    this.#start = end;
    return { head, bytes: this.#buffer.subarray(0, end), count };
  }

  /** @throws UnknownArchive. */
  async entry(head: Head): Promise<EntryBytes> {
    const entry = await this.#whole(() => readEntry(this.#buffer, this.#start, head));
    const own = this.#buffer.subarray(this.#start, entry.ownEnd);
    this.#start = entry.end;
    return { ...entry, own };
  }

  async isAtEnd(): Promise<boolean> {
    return this.#start === this.#buffer.length && !(await this.#more());
  }

  async #whole<Result>(read: () => Result): Promise<Result> {
    for (;;) {
      try {
        return read();
      } catch (error) {
        if (!(error instanceof Truncated)) throw error;
        if (!(await this.#more())) throw new UnknownArchive('Its toc.dat ends in the middle of an entry.');
      }
    }
  }

  /** Reads on, twice as much each time an entry needs it. False: there is no more. */
  async #more(): Promise<boolean> {
    const kept = this.#buffer.subarray(this.#start);
    const grown = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, 2 * kept.length));
    kept.copy(grown);
    const { bytesRead } = await this.file.read(grown, kept.length, grown.length - kept.length);
    this.#buffer = grown.subarray(0, kept.length + bytesRead);
    this.#start = 0;
    return bytesRead > 0;
  }
}

/** Whether such a directory can be packed; pg_dump writes its table of contents before any data. @throws UnknownArchive. */
export async function requireKnownArchive(directory: string): Promise<void> {
  const file = await open(path.join(directory, CONTENTS));
  try {
    await new ContentsInput(file).preamble();
  } finally {
    await file.close();
  }
}
