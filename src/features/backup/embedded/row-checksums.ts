import { createHash } from 'node:crypto';

import type { EmbeddedEngine } from '../../../adapters/embedded/engine.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { copyTarget, rowsOf, tablesOf } from './sql-text.js';

const NEW_LINE = 10;
const LANES = 4;

/**
 * The sum of the SHA-256 of each row, in whatever order they come, and their number. PostgreSQL puts a row on any page that has
 * room for it, so the rows of a table and of its copy seldom lie in one order.
 */
function sumOfRows(rows: Buffer): string {
  const sum = new BigUint64Array(LANES);
  let count = 0;
  for (let start = 0; start < rows.length;) {
    const end = rows.indexOf(NEW_LINE, start);
    const next = end === -1 ? rows.length : end + 1;
    const hash = createHash('sha256').update(rows.subarray(start, next)).digest();
    // A lane takes its carry away.
    for (let lane = 0; lane < LANES; lane += 1) sum[lane] = (sum[lane] ?? 0n) + hash.readBigUInt64LE(lane * 8);
    count += 1;
    start = next;
  }
  return `${count} ${sum.join(' ')}`;
}

/** What all rows come to, table by table. */
export async function rowChecksums(session: Session, engine: EmbeddedEngine): Promise<ReadonlyMap<string, string>> {
  const sums = new Map<string, string>();
  for (const table of await tablesOf(session)) sums.set(copyTarget(table), sumOfRows(await rowsOf(engine, table)));
  return sums;
}
