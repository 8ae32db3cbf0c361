import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END = 0x06054b50;

/** The files in a ZIP file, by name, read from its directory as any program does. */
export function readZip(file: string): ReadonlyMap<string, string> {
  const bytes = readFileSync(file);
  let end = bytes.length - 22;
  while (end >= 0 && bytes.readUInt32LE(end) !== DIRECTORY_END) end -= 1;
  const files = new Map<string, string>();
  let place = bytes.readUInt32LE(end + 16);
  while (bytes.readUInt32LE(place) === DIRECTORY_ENTRY) {
    const size = bytes.readUInt32LE(place + 20);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => bytes.readUInt16LE(place + offset));
    const start = bytes.readUInt32LE(place + 42);
    const name = bytes.subarray(place + 46, place + 46 + (nameLength ?? 0)).toString();
    const data = start + 30 + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28);
    files.set(name, inflateRawSync(bytes.subarray(data, data + size)).toString());
    place += 46 + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
  }
  return files;
}
