import { formatDurationMs } from '../../../base/duration.js';
import type { DemoTable } from './table.js';

const SECOND_MS = 1000;

/** Counts what was sent, and says how fast it goes and how long it will take. */
export class Pace {
  readonly #tables: readonly DemoTable[];
  readonly #report: (text: string) => void;
  readonly #startedMs = performance.now();
  readonly #sent = new Map<string, number>();

  constructor(tables: readonly DemoTable[], report: (text: string) => void) {
    this.#tables = tables;
    this.#report = report;
  }

  /** So many more rows of a table were sent. */
  add({ table, count }: DemoTable, rows: number): void {
    const sent = (this.#sent.get(table) ?? 0) + rows;
    this.#sent.set(table, sent);
    const elapsedMs = performance.now() - this.#startedMs;
    const all = this.#tables.reduce((sum, other) => sum + (this.#sent.get(other.table) ?? 0), 0);
    const rate = Math.round((all / elapsedMs) * SECOND_MS);
    const leftMs = (elapsedMs * this.#work('left')) / Math.max(this.#work('sent'), 1);
    const left = formatDurationMs(Math.ceil(leftMs / 1000) * 1000);
    this.#report(
      `${table}: ${group(sent)} of ${group(count)} rows, ${group(rate)} rows/s, ${left} left for all tables`,
    );
  }

  #work(which: 'sent' | 'left'): number {
    return this.#tables.reduce((sum, { table, count, weight = 1 }) => {
      const sent = this.#sent.get(table) ?? 0;
      return sum + weight * (which === 'sent' ? sent : count - sent);
    }, 0);
  }
}

function group(count: number): string {
  return count.toLocaleString('en');
}
