import { statSync } from 'node:fs';

/** Who beside the owner may read a file: `0644` as text, or undefined for none, and for pipes (`<(pass show x)`). */
export function modeReadableByOthers(path: string): string | undefined {
  // Windows has no such modes; Node makes some up.
  if (process.platform === 'win32') return undefined;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || (stats.mode & 0o044) === 0) return undefined;
  return `0${(stats.mode & 0o777).toString(8)}`;
}
