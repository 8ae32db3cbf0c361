import { AisecError } from '../../../base/errors.js';
import { FieldReader, INT_BYTES, OFFSET_BYTES } from './fields.js';

/** An archive that is not known well enough to be packed: of a newer pg_dump, or compressed otherwise. */
export class UnknownArchive extends AisecError {
  constructor(detail: string) {
    super('PG_TOOL_FAILED', 'the directory that pg_dump wrote cannot be made one file', { detail });
  }
}

const MAGIC = 'PGDMP';
export const HEAD_BYTES = 12;
const AT = { major: 5, minor: 6, intSize: 8, offsetSize: 9, format: 10, compression: 11 } as const;
/** A directory has the number of a tar file. */
const [CUSTOM, DIRECTORY] = [1, 3];
/** 1.15: PostgreSQL 16. 1.16: 17 to 19, which have several groups of large objects and the kind of each relation. */
const [OLDEST_MINOR, NEWEST_MINOR] = [15, 16];

export interface Compression {
  /** Of the names of data files. */
  readonly suffix: string;
  /** What one file has of no data, where pg_dump leaves a data file empty; pg_restore 19 takes nothing for an incomplete frame. */
  readonly ofNothing: Buffer;
}

/** By their numbers. gzip frames data files otherwise than the data in one file. */
const COMPRESSIONS: Readonly<Record<number, Compression>> = {
  0: { suffix: '', ofNothing: Buffer.alloc(0) },
  2: { suffix: '.lz4', ofNothing: Buffer.from('04224d184040c000000000', 'hex') },
  3: { suffix: '.zst', ofNothing: Buffer.from('28b52ffd2000010000', 'hex') },
};

export interface Head {
  readonly minor: number;
  readonly compression: Compression;
}

/** The first bytes of `toc.dat`. @throws UnknownArchive. */
export function readHead(bytes: Buffer): Head {
  if (bytes.length < HEAD_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw new UnknownArchive('Its toc.dat does not begin like an archive.');
  const [major = 0, minor = 0] = [bytes[AT.major], bytes[AT.minor]];
  if (major !== 1 || minor < OLDEST_MINOR || minor > NEWEST_MINOR)
    throw new UnknownArchive(
      `It is an archive of version ${major}.${minor}, expected 1.${OLDEST_MINOR} or 1.${NEWEST_MINOR}.`,
    );
  if (bytes[AT.intSize] !== INT_BYTES || bytes[AT.offsetSize] !== OFFSET_BYTES || bytes[AT.format] !== DIRECTORY)
    throw new UnknownArchive('Its head is not that of a directory archive of this machine.');
  const method = bytes[AT.compression] ?? -1;
  const compression = COMPRESSIONS[method];
  if (compression === undefined) throw new UnknownArchive(`Its data are compressed by method ${method}.`);
  return { minor, compression };
}

/** Makes the head that of a custom-format archive. */
export function markCustom(head: Buffer): void {
  head[AT.format] = CUSTOM;
}

/** Where the times and names behind the head end and the number of entries stands. */
export function readPreamble(bytes: Buffer): { readonly count: number; readonly end: number } {
  const fields = new FieldReader(bytes, HEAD_BYTES);
  for (let part = 0; part < 7; part += 1) fields.int();
  for (let name = 0; name < 3; name += 1) fields.skipText();
  return { count: fields.int(), end: fields.position };
}

export interface Entry {
  readonly dumpId: number;
  readonly isLargeObjects: boolean;
  /** Of its data, or of the list of its large objects; undefined: it has no data. */
  readonly file: string | undefined;
  /** Where the name of the file begins, which a custom-format archive has an offset in place of. */
  readonly ownEnd: number;
  /** Where the next entry begins. */
  readonly end: number;
}

/** One entry of the table of contents. @throws Truncated where it is not there whole. */
export function readEntry(bytes: Buffer, start: number, { minor }: Head): Entry {
  const fields = new FieldReader(bytes, start);
  const dumpId = fields.int();
  const hasData = fields.int() !== 0;
  // The object, its table, its name.
  for (let field = 0; field < 3; field += 1) fields.skipText();
  const isLargeObjects = fields.text() === 'BLOBS';
  fields.int();
  // Definition, DROP, COPY, schema, tablespace, access method.
  for (let field = 0; field < 6; field += 1) fields.skipText();
  if (minor >= 16) fields.int();
  // The owner, and whether it has oids.
  for (let field = 0; field < 2; field += 1) fields.skipText();
  while (fields.text() !== null);
  const ownEnd = fields.position;
  const name = fields.text() ?? '';
  if (dumpId <= 0 || hasData !== (name !== '') || !/^[\w.]*$/.test(name))
    throw new UnknownArchive(`Entry ${dumpId} of its table of contents cannot be read.`);
  // Before 1.16 there is one such list, whatever the entry says.
  const file = isLargeObjects && minor < 16 ? 'blobs.toc' : name;
  return { dumpId, isLargeObjects, file: hasData ? file : undefined, ownEnd, end: fields.position };
}
