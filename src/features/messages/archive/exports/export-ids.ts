import { AisecError } from '../../../../base/errors.js';
import { throwIfInterrupted } from '../../../../base/interruption.js';
import { ExportReader } from './export-file.js';
import { readManifest } from './manifest.js';
import type { ExportFormat } from './record-format.js';

const ID_BYTES = 16;
const ID_TEXT = 36;
const PREFIX: Readonly<Record<ExportFormat, string>> = { ndjson: '{"id":"', csv: '' };

/** Ids of messages, 16 bytes each: a month of a million is 16 MB. */
class MessageIds {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get count(): number {
    return this.#bytes.length / ID_BYTES;
  }

  /** The ids from one position to before another. */
  slice(from: number, to: number): readonly string[] {
    const ids: string[] = [];
    for (let position = from; position < to; position += 1) {
      const hex = this.#bytes.toString('hex', position * ID_BYTES, (position + 1) * ID_BYTES);
      ids.push(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
    }
    return ids;
  }
}

/**
 * Reads the ids of the messages in an export, oldest first.
 *
 * @throws AisecError EXPORT_INVALID when the file is not the one with the given SHA-256.
 */
export async function readExportIds(file: string, sha256: string, signal: AbortSignal): Promise<MessageIds> {
  const { format } = readManifest(file);
  const reader = new ExportReader(file, format);
  const start = PREFIX[format].length;
  const pieces: Buffer[] = [];
  for await (const record of reader.records()) {
    throwIfInterrupted(signal);
    pieces.push(Buffer.from(record.slice(start, start + ID_TEXT).replaceAll('-', ''), 'hex'));
  }
  if (reader.content().sha256 !== sha256)
    throw new AisecError('EXPORT_INVALID', `the export "${file}" has changed since it was verified`, {
      hint: 'No changes were made. Run it again.',
    });
  return new MessageIds(Buffer.concat(pieces));
}
