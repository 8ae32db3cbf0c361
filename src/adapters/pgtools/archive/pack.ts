import { open, rm, rmdir, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

import { AisecError } from '../../../base/errors.js';
import { throwIfInterrupted } from '../../../base/interruption.js';
import { markCustom, UnknownArchive, type Compression } from './contents.js';
import { CONTENTS, ContentsInput } from './input.js';
import { ArchiveOutput } from './output.js';

/** What the data of an entry begin with. */
const [BLOCK_OF_ROWS, BLOCK_OF_LARGE_OBJECTS] = [1, 3];

export interface PackOptions {
  readonly signal: AbortSignal;
  /** Called with how many bytes the archive has so far. */
  readonly onBytes: (bytes: number) => void;
}

/** Of an entry with data. */
interface Data {
  readonly dumpId: number;
  readonly isLargeObjects: boolean;
  readonly file: string;
  /** Where its offset stands in the archive. */
  readonly place: number;
}

async function withFile<Result>(
  file: string,
  flags: 'r' | 'r+',
  use: (handle: FileHandle) => Promise<Result>,
): Promise<Result> {
  const handle = await open(file, flags);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

class Packing {
  readonly #output: ArchiveOutput;

  constructor(
    private readonly directory: string,
    target: FileHandle,
    private readonly options: PackOptions,
  ) {
    this.#output = new ArchiveOutput(target);
  }

  async run(): Promise<void> {
    const contents = path.join(this.directory, CONTENTS);
    const { all, compression } = await withFile(contents, 'r', (file) => this.#contents(file));
    await rm(contents);
    const offsets: { readonly place: number; readonly position: number }[] = [];
    for (const data of all) {
      offsets.push({ place: data.place, position: this.#output.position });
      await (data.isLargeObjects ? this.#largeObjects(data, compression) : this.#rows(data, compression));
    }
    await this.#output.flush();
    for (const { place, position } of offsets) await this.#output.setOffset(place, position);
  }

  /** The table of contents, each entry with room for an offset in place of the name of a file. */
  async #contents(file: FileHandle): Promise<{ readonly all: readonly Data[]; readonly compression: Compression }> {
    const input = new ContentsInput(file);
    const { head, bytes, count } = await input.preamble();
    markCustom(bytes);
    await this.#output.bytes(bytes);
    const all: Data[] = [];
    for (let number = 0; number < count; number += 1) {
      throwIfInterrupted(this.options.signal);
      const entry = await input.entry(head);
      await this.#output.bytes(entry.own);
      if (entry.file !== undefined) all.push({ ...entry, file: entry.file, place: this.#output.position });
      await this.#output.offset(entry.file !== undefined);
    }
    if (!(await input.isAtEnd())) throw new UnknownArchive('Its toc.dat has more than its entries.');
    return { all, compression: head.compression };
  }

  async #rows({ dumpId, file }: Data, compression: Compression): Promise<void> {
    await this.#output.byte(BLOCK_OF_ROWS);
    await this.#output.int(dumpId);
    await this.#data(file, compression);
  }

  async #largeObjects({ dumpId, file }: Data, compression: Compression): Promise<void> {
    const list = path.join(this.directory, file);
    await this.#output.byte(BLOCK_OF_LARGE_OBJECTS);
    await this.#output.int(dumpId);
    await withFile(list, 'r', async (lines) => {
      for await (const line of lines.readLines()) {
        const [, id, name] = /^(\d+) ([\w.]+)$/.exec(line) ?? [];
        if (id === undefined || name === undefined) throw new UnknownArchive(`A line of ${file} cannot be read.`);
        await this.#output.int(Number(id));
        await this.#data(name, compression);
      }
    });
    await this.#output.int(0);
    await rm(list);
  }

  /** A file of data, which is deleted then. */
  async #data(name: string, { suffix, ofNothing }: Compression): Promise<void> {
    const file = path.join(this.directory, name + suffix);
    const { signal, onBytes } = this.options;
    await withFile(file, 'r', (source) =>
      this.#output.data(async (buffer, at, most) => {
        throwIfInterrupted(signal);
        onBytes(this.#output.position);
        return (await source.read(buffer, at, most, null)).bytesRead;
      }, ofNothing),
    );
    await rm(file);
  }
}

/**
 * Makes one custom-format archive, as `pg_dump -Fc` would have written it, of a directory that pg_dump wrote with
 * `--format=directory`, compressed by zstd, lz4 or nothing. The data stand in the order of the table of contents, which
 * has their places, so that the archive can be read in parallel, in part, and from a pipe. Each file is deleted as soon
 * as it was copied, and so is the directory at the end: at no moment both take the whole space.
 *
 * @param file exists, and is empty
 * @throws UnknownArchive with nothing deleted but what was copied; what the file system throws; INTERRUPTED, TERMINATED.
 */
export async function packDirectoryArchive(directory: string, file: string, options: PackOptions): Promise<void> {
  await withFile(file, 'r+', (target) => new Packing(directory, target, options).run());
  try {
    await rmdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    throw new AisecError('BACKUP_INVALID', 'pg_dump wrote files that its table of contents does not name', {
      detail: `They are in ${directory}.`,
      cause: error,
    });
  }
}
