const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'];

/** A size for people, in PostgreSQL's units of 1024: `512 bytes`, `64 kB`, `1.4 GB`. */
export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} bytes`;
  let size = sizeBytes / 1024;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size < 10 && !Number.isInteger(size) ? size.toFixed(1) : Math.round(size)} ${UNITS[unit] ?? ''}`;
}
