const NEW_LINE = 10;

/** Lines with their ends, as bytes; a line may be cut between two chunks. */
export class Lines {
  #rest: Buffer = Buffer.alloc(0);

  *of(chunk: Buffer): Generator<Buffer> {
    let start = 0;
    for (let end = chunk.indexOf(NEW_LINE); end >= 0; end = chunk.indexOf(NEW_LINE, start)) {
      const line = chunk.subarray(start, end + 1);
      yield this.#rest.length === 0 ? line : Buffer.concat([this.#rest, line]);
      this.#rest = Buffer.alloc(0);
      start = end + 1;
    }
    this.#rest = Buffer.concat([this.#rest, chunk.subarray(start)]);
  }
}
