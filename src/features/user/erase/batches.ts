import type { TableKey } from '../../../adapters/catalog/references/reference.js';
import type { ChosenPart, ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { isAisecError } from '../../../base/errors.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { throwIfInterrupted } from '../../../base/interruption.js';

/** One transaction holds its row locks for so long, about; one batch in a hundred takes four times as long. */
const TARGET_MS = 11;
const [FEWEST_ROWS, MOST_ROWS, FIRST_ROWS] = [1, 2000, 50];
/** The server ends a batch that has taken so long, for whatever reason; it is begun again with half of the rows. */
const LONGEST_MS = 40;
const QUERY_CANCELED = '57014';
/** The first statement on a partition loads and plans what its triggers need, 20 to 40 ms, with the locks held. */
const SHARE_OF_FIRST_BATCH = 0.25;

/** Read at once: a place is some 12 characters. */
const PLACES = 20_000;

/** How many rows the next batch has, from how long the last one took. */
export class BatchSize {
  #rows = FIRST_ROWS;

  get rows(): number {
    return this.#rows;
  }

  /** Of the first batch of a partition, whose time says nothing about the next. */
  get rowsAtFirst(): number {
    return Math.max(FEWEST_ROWS, Math.round(this.#rows * SHARE_OF_FIRST_BATCH));
  }

  /** @param rows that were changed: a place whose row is gone costs nothing, and says nothing of what the next ones cost */
  took(rows: number, durationMs: number): void {
    if (rows === 0) return;
    const fitting = (rows * TARGET_MS) / Math.max(1, durationMs);
    // One slow batch halves the next, a fast one lets it grow by and by.
    this.#rows = Math.round(Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, fitting, this.#rows * 2)));
  }

  tookTooLong(rows: number): void {
    this.#rows = Math.max(FEWEST_ROWS, Math.floor(rows / 2));
  }
}

/** Places as SQL. */
function tids(places: readonly string[]): string {
  return `${quoteLiteral(`{${places.map((place) => `"${place}"`).join(',')}}`)}::tid[]`;
}

/** Whether the server ended the statement for its time. Who cancels one by hand does so earlier, as a rule. */
function isTooLong(error: unknown, durationMs: number): boolean {
  return isAisecError(error) && error.sqlState === QUERY_CANCELED && durationMs >= LONGEST_MS;
}

/**
 * Runs a statement for the chosen rows of one partition, batch by batch, each a transaction. Returns the rows that it changed.
 *
 * @param onBatch called after each; what it throws leaves the rest
 * @param change runs the statement for places, as SQL, with what limits its time sent before it in the same message
 */
export async function inBatches(
  session: Session,
  choice: ChosenRows,
  key: TableKey,
  part: ChosenPart,
  size: BatchSize,
  onBatch: (rows: number) => void,
  change: (places: string, limit: string) => Promise<number>,
): Promise<number> {
  let changed = 0;
  let isFirst = true;
  for (let before: string | undefined; ;) {
    const places = await choice.places(key, part, PLACES, before);
    before = places.at(-1);
    if (before === undefined) return changed;
    for (let start = 0, end = 0; start < places.length; start = end) {
      throwIfInterrupted(session.signal);
      end = Math.min(places.length, start + (isFirst ? size.rowsAtFirst : size.rows));
      const batch = places.slice(start, end);
      const startedMs = performance.now();
      let rows = 0;
      try {
        // A single row cannot be cut: its replies and files may be many.
        rows = await change(tids(batch), batch.length === 1 ? '' : `set local statement_timeout = ${LONGEST_MS}; `);
      } catch (error) {
        if (batch.length === 1 || !isTooLong(error, performance.now() - startedMs)) throw error;
        size.tookTooLong(batch.length);
        // Without a word to `onBatch`, which may end the run: each one gets at least one batch done.
        [end, isFirst] = [start, false];
        continue;
      }
      changed += rows;
      if (!isFirst) size.took(rows, performance.now() - startedMs);
      isFirst = false;
      onBatch(rows);
    }
  }
}
