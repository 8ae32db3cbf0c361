import type pg from 'pg';

export const QUERY_CANCELED = '57014';
const ATTEMPTS = 100;

/**
 * A limit of a few milliseconds ends the first query of a session, which loads catalogs, and never all of these. A limit that is reached
 * as SET ends is an error of the statement behind it: without one the server would send it when nothing runs, which
 * the driver takes for the end of the connection.
 */
export async function withoutTimeLimit(client: pg.Client): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query('set statement_timeout = 0; select 1');
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== QUERY_CANCELED || attempt === ATTEMPTS) throw error;
    }
  }
}
