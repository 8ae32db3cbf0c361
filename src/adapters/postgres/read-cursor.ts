import type { Session } from './session.js';

/** Fetched at once: small enough for memory with long values, since the number of rows follows their size. */
const FETCHED_CHARACTERS = 4 * 1024 * 1024;
const FIRST_ROWS = 100;
const MOST_ROWS = 5000;

/**
 * The rows of a query through a cursor, so that memory stays flat however many there are. Runs inside of a transaction;
 * one cursor of a name at a time.
 *
 * @param sizeOf about how many characters a row takes
 */
export async function* readCursor<Row extends object>(
  session: Session,
  query: string,
  sizeOf: (row: Row) => number,
  name = 'aisec_rows',
): AsyncGenerator<Row> {
  await session.query(`declare ${name} no scroll cursor for ${query}`);
  let count = FIRST_ROWS;
  for (;;) {
    const { rows } = await session.query<Row>(`fetch ${count} from ${name}`);
    let characters = 0;
    for (const row of rows) {
      characters += sizeOf(row);
      yield row;
    }
    if (rows.length < count) break;
    const average = Math.max(1, characters / rows.length);
    count = Math.max(1, Math.min(MOST_ROWS, count * 4, Math.floor(FETCHED_CHARACTERS / average)));
  }
  await session.query(`close ${name}`);
}
