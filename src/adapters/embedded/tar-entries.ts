const BLOCK = 512;
const [NAME, SIZE, TYPE, PREFIX] = [
  [0, 100],
  [124, 136],
  [156, 157],
  [345, 500],
] as const;

export interface TarEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  /** A part of the archive's own memory. */
  readonly content: Buffer<ArrayBuffer>;
}

/** The files and directories of a tar archive that the engine, or its build, wrote. */
export function* tarEntries(tar: Buffer<ArrayBuffer>): Generator<TarEntry> {
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const field = ([from, to]: readonly [number, number]): string => {
      const end = tar.indexOf(0, at + from);
      return tar.toString('latin1', at + from, end === -1 ? at + to : Math.min(end, at + to));
    };
    const prefix = field(PREFIX);
    const size = Number.parseInt(field(SIZE), 8);
    yield {
      name: prefix === '' ? field(NAME) : `${prefix}/${field(NAME)}`,
      isDirectory: field(TYPE) === '5',
      content: tar.subarray(at + BLOCK, at + BLOCK + size),
    };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
