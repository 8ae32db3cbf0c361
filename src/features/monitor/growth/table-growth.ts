import { dailyRate, type SizeAt } from './rate.js';
import type { Range } from './forecast.js';
import type { SizeRecord } from './records.js';

/** Between the first and the last record with a table's size. */
export interface TableGrowth {
  readonly table: string;
  readonly sizeBytes: number;
  readonly grownBytes: number;
  /** RFC 3339. */
  readonly since: string;
  /** Null for less than three records or seven days. */
  readonly bytesPerDay: Range | null;
}

/** Undefined for a table that fewer than two records have: it is new, or was locked at every record. */
export function tableGrowth(records: readonly SizeRecord[], table: string): TableGrowth | undefined {
  const sizes = records.flatMap(({ measuredAt, tableBytes }): readonly (SizeAt & { readonly at: string })[] => {
    const sizeBytes = tableBytes[table];
    return sizeBytes === undefined ? [] : [{ at: measuredAt, atMs: Date.parse(measuredAt), sizeBytes }];
  });
  const [first, last] = [sizes.at(0), sizes.at(-1)];
  if (first === undefined || last === undefined || sizes.length < 2) return undefined;
  return {
    table,
    sizeBytes: last.sizeBytes,
    grownBytes: last.sizeBytes - first.sizeBytes,
    since: first.at,
    bytesPerDay: dailyRate(sizes) ?? null,
  };
}
