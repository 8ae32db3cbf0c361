import type { QueryResult, Session } from './session.js';

/** Fetched at once, twice: small enough for memory with long values, since the number of rows follows their size. */
const FETCHED_CHARACTERS = 2 * 1024 * 1024;
const FIRST_ROWS = 100;
const MOST_ROWS = 5000;

function nextCount<Row>(rows: readonly Row[], count: number, sizeOf: (row: Row) => number): number {
  const characters = rows.reduce((sum, row) => sum + sizeOf(row), 0);
  const average = Math.max(1, characters / Math.max(1, rows.length));
  return Math.max(1, Math.min(MOST_ROWS, count * 4, Math.floor(FETCHED_CHARACTERS / average)));
}

/**
 * The rows of a query through a cursor, so that memory stays flat however many there are: the server reads the next ones while
 * the caller has these. Runs inside of a transaction; one cursor of a name at a time.
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
  let fetching: Promise<QueryResult<Row>> | undefined = session.query<Row>(`fetch ${count} from ${name}`);
  try {
    while (fetching !== undefined) {
      const result: QueryResult<Row> = await fetching;
      const isLast: boolean = result.rows.length < count;
      count = nextCount(result.rows, count, sizeOf);
      fetching = isLast ? undefined : session.query<Row>(`fetch ${count} from ${name}`);
      // Heard of when its turn comes.
      fetching?.catch(() => undefined);
      yield* result.rows;
    }
  } finally {
    // Who stops reading must not meet it.
    await fetching?.catch(() => undefined);
  }
  await session.query(`close ${name}`);
}
