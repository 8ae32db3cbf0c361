import type { ChosenPart, ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { throwIfInterrupted } from '../../../base/interruption.js';

/** One transaction holds its row locks for so long, about. */
const TARGET_MS = 20;
const [FEWEST_ROWS, MOST_ROWS, FIRST_ROWS] = [10, 2000, 50];

/** Read at once: a place is some 12 characters. */
const PLACES = 20_000;

/** How many rows the next batch has, from how long the last one took. */
export class BatchSize {
  #rows = FIRST_ROWS;

  get rows(): number {
    return this.#rows;
  }

  took(rows: number, durationMs: number): void {
    if (rows === 0) return;
    const fitting = (rows * TARGET_MS) / Math.max(1, durationMs);
    // One slow batch halves the next, a fast one lets it grow by and by.
    this.#rows = Math.round(Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, fitting, this.#rows * 2)));
  }
}

/** Runs a statement for the chosen rows of one partition, batch by batch, each a transaction. Returns the rows that it changed. */
export async function inBatches(
  session: Session,
  choice: ChosenRows,
  key: string,
  part: ChosenPart,
  size: BatchSize,
  change: (places: readonly string[]) => Promise<number>,
): Promise<number> {
  let changed = 0;
  for (let before: string | undefined; ;) {
    const places = await choice.places(key, part, PLACES, before);
    before = places.at(-1);
    if (before === undefined) return changed;
    for (let start = 0, end = 0; start < places.length; start = end) {
      throwIfInterrupted(session.signal);
      end = Math.min(places.length, start + size.rows);
      const startedMs = performance.now();
      changed += await change(places.slice(start, end));
      size.took(end - start, performance.now() - startedMs);
    }
  }
}
