import { statfs } from 'node:fs/promises';

/** What an ordinary user may still write to the file system that a folder is on. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
