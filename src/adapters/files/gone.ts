import { existsSync } from 'node:fs';
import path from 'node:path';

/** Whether a file was deleted: its directory is on this machine, and it is not in it. */
export function isGoneHere(file: string): boolean {
  return path.isAbsolute(file) && existsSync(path.dirname(file)) && !existsSync(file);
}
