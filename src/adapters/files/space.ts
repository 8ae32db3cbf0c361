import { statfs } from 'node:fs/promises';

/** Whether the file system had no room, for all users or for this one. */
export function isNoSpace(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** As df counts: what is kept for root is neither used nor free. */
export interface Space {
  readonly usedBytes: number;
  readonly freeBytes: number;
}

/** Of the file system that a directory is on, for an ordinary user. */
export async function spaceOf(directory: string): Promise<Space> {
  const { blocks, bfree, bavail, bsize } = await statfs(directory);
  return { usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize };
}

/** What an ordinary user may still write to the file system that a directory is on. */
export async function freeBytes(directory: string): Promise<number> {
  return (await spaceOf(directory)).freeBytes;
}
