import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { ReadableStream } from 'node:stream/web';

const CHUNK_BYTES = 1024 * 1024;

/** The bytes of a file as they are read, hashed on the way. `onBytes` is called with how many came so far. */
export async function* bytesOf(
  file: string,
  onBytes: (bytes: number) => void,
  hash?: Hash,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    hash?.update(chunk);
    bytes += chunk.length;
    onBytes(bytes);
    yield chunk;
  }
}

/**
 * What age takes. Not `Readable.toWeb` and `fromWeb`: in Node 20 a stream that is given up throws where no caller can
 * catch it.
 */
export function asWebStream(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  return ReadableStream.from<Uint8Array>(source);
}

/** What age gives. */
export async function* fromWebStream(stream: object): AsyncGenerator<Uint8Array> {
  yield* stream as ReadableStream<Uint8Array>;
}
