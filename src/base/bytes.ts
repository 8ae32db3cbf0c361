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

/** Bytes of a size such as `512`, `64kB`, `1.5 GB`, `500GiB`, in units of 1024 all of them; undefined when it is none. */
export function parseBytes(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(?:bytes|([kmgtp])i?b)?$/i.exec(text.trim()) ?? [];
  if (amount === undefined) return undefined;
  const power = unit === undefined ? 0 : 'kmgtp'.indexOf(unit.toLowerCase()) + 1;
  return Math.round(Number(amount) * 1024 ** power);
}
