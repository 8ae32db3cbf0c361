import type { Context } from '../../context.js';

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** `986 MB`, in steps of 1024 as PostgreSQL's pg_size_pretty. */
export function sizeText(sizeBytes: number): string {
  let unit = 0;
  let size = sizeBytes;
  while (size >= 10_240 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${Math.round(size)} ${UNITS[unit] ?? ''}`;
}

/** `~1200` for an estimate, `?` when nothing is known. */
export function rowsText(rows: number | null, areExact: boolean): string {
  if (rows === null) return '?';
  return `${areExact ? '' : '~'}${Math.round(rows)}`;
}

export function reportingTo({ output, progress }: Context): {
  readonly onProgress: (text: string) => void;
  readonly onWarning: (text: string) => void;
} {
  return { onProgress: progress.report, onWarning: (text) => output.warning(text) };
}
