import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

import { withNewFile } from '../../../../adapters/files/new-file.js';
import { RecordSplitter, type ExportFormat } from './record-format.js';

const PIECE_CHARACTERS = 64 * 1024;

export interface FileContent {
  readonly records: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly contentSha256: string;
}

/** Passes bytes on and counts them into a hash. */
class Meter {
  sizeBytes = 0;
  readonly #hash: Hash = createHash('sha256');

  stream(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.sizeBytes += chunk.length;
        this.#hash.update(chunk);
        done(null, chunk);
      },
    });
  }

  get sha256(): string {
    return this.#hash.digest('hex');
  }
}

async function* inPieces(
  header: string | undefined,
  records: AsyncIterable<string>,
  onRecords: (count: number) => void,
): AsyncGenerator<string> {
  let piece = header === undefined ? '' : `${header}\n`;
  let count = 0;
  for await (const record of records) {
    piece += `${record}\n`;
    count += 1;
    if (piece.length < PIECE_CHARACTERS) continue;
    onRecords(count);
    yield piece;
    piece = '';
  }
  onRecords(count);
  if (piece !== '') yield piece;
}

/** Writes records, compressed, to a new file that only its owner can read, and flushes it; on a failure the file is removed. */
export async function writeExport(
  file: string,
  header: string | undefined,
  records: AsyncIterable<string>,
  onRecords: (count: number) => void,
): Promise<FileContent> {
  await rm(file, { force: true });
  const content = new Meter();
  const compressed = new Meter();
  let count = 0;
  const pieces = inPieces(header, records, (written) => {
    count = written;
    onRecords(written);
  });
  const source = Readable.from(pieces, { objectMode: true });
  await withNewFile(file, (target) => pipeline(source, content.stream(), createGzip(), compressed.stream(), target));
  return {
    records: count,
    sizeBytes: compressed.sizeBytes,
    sha256: compressed.sha256,
    contentSha256: content.sha256,
  };
}

/** Reads an export again from the disk, record by record; the header of CSV is skipped. */
export class ExportReader {
  readonly #file: string;
  readonly #format: ExportFormat;
  readonly #content = new Meter();
  readonly #compressed = new Meter();
  #records = 0;
  #isWhole = false;

  constructor(file: string, format: ExportFormat) {
    this.#file = file;
    this.#format = format;
  }

  async *records(): AsyncGenerator<string> {
    const splitter = new RecordSplitter(this.#format);
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const gunzip = createGunzip();
    const content = this.#content.stream();
    const done = pipeline(createReadStream(this.#file), this.#compressed.stream(), gunzip, content);
    done.catch(() => undefined);
    let isHeader = this.#format === 'csv';
    for await (const chunk of content) {
      for (const record of splitter.push(decoder.decode(chunk as Buffer, { stream: true }))) {
        if (isHeader) {
          isHeader = false;
          continue;
        }
        this.#records += 1;
        yield record;
      }
    }
    await done;
    this.#isWhole = splitter.rest === '';
  }

  /** What was read; call it once, after the last record. */
  content(): FileContent & { readonly isWhole: boolean } {
    return {
      records: this.#records,
      sizeBytes: this.#compressed.sizeBytes,
      sha256: this.#compressed.sha256,
      contentSha256: this.#content.sha256,
      isWhole: this.#isWhole,
    };
  }
}
