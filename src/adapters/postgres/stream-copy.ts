import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type pg from 'pg';
import { from } from 'pg-copy-streams';

/**
 * Feeds one COPY ... FROM STDIN, never further ahead of the server than the socket's buffer. Returns the rows.
 *
 * A loop and no pipeline(): when the server refuses a row, pipeline() destroys the stream and waits for a close that
 * pg-copy-streams 7 never emits, since the server's answer has already come.
 */
export async function streamCopy(client: pg.Client, target: string, chunks: Iterable<Buffer>): Promise<number> {
  const stream = client.query(from(`copy ${target} from stdin`));
  let failure: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    stream.once('finish', resolve);
    // Stays attached: a second error, of a connection that goes after the statement failed, must find a listener.
    stream.on('error', (error: Error) => {
      failure ??= error;
      resolve();
    });
  });
  try {
    for (const chunk of chunks) {
      if (!stream.write(chunk)) await Promise.race([once(stream, 'drain').catch(() => undefined), ended]);
      // A kernel that takes all at once would keep timers and signals waiting.
      await nextTurn();
      if (failure !== undefined) break;
    }
  } catch (error) {
    // What makes the rows failed: CopyFail ends the statement.
    stream.destroy(error as Error);
    await ended;
    throw error;
  }
  if (failure === undefined) stream.end();
  await ended;
  if (failure !== undefined) throw failure;
  return stream.rowCount;
}
