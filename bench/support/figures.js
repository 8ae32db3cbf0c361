/**
 * Prints figures as a table.
 *
 * @param {readonly { figure: string, value: string, target?: string }[]} rows
 */
export function printFigures(rows) {
  const width = (/** @type {'figure' | 'value'} */ key) => Math.max(key.length, ...rows.map((row) => row[key].length));
  const [figureWidth, valueWidth] = [width('figure'), width('value')];
  console.log(`${'figure'.padEnd(figureWidth)}  ${'value'.padStart(valueWidth)}  target`);
  for (const { figure, value, target = '' } of rows)
    console.log(`${figure.padEnd(figureWidth)}  ${value.padStart(valueWidth)}  ${target}`.trimEnd());
}

/** The value below which a share of the values lies; NaN of none. @param {readonly number[]} values @param {number} share */
export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** @param {number} ms */
export function ms(ms) {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 2 : 0)} MB`;
}

/** Median, 99th percentile and maximum of waits. @param {readonly number[]} waitsMs */
export function waits(waitsMs) {
  return `${ms(percentile(waitsMs, 0.5))} / ${ms(percentile(waitsMs, 0.99))} / ${ms(Math.max(...waitsMs))}`;
}
