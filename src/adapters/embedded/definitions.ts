import type { PGlite } from '@electric-sql/pglite';

import { AisecError } from '../../base/errors.js';

/** Everything that comes before the rows (types, tables, functions), or after them (keys, indexes, policies). */
export type DefinitionSection = 'pre-data' | 'post-data';

/**
 * The wrapper around pg_dump takes every line that begins so out of its text, wherever it stands. In JavaScript a line
 * begins after these, too; in UTF-8 the last two are E2 80 A8 and E2 80 A9.
 */
const LOST_LINE = /(?:[\n\r]|\u00e2\u0080[\u00a8\u00a9])\\(?:un)?restrict/i;
const LONGEST_MATCH = 14;

function refuseLostLines(): never {
  throw new AisecError('BACKUP_FORMAT', 'the database cannot be written as SQL', {
    detail: String.raw`A function, view or comment has a line that begins with \restrict or \unrestrict, which would be lost.`,
    hint: 'Back it up as a data directory, without --format sql, or indent that line.',
  });
}

/**
 * Definitions as pg_dump writes them, without owners. Only for an engine that is thrown away afterwards: pg_dump leaves
 * its session read-only and without a search_path. Rows are never read this way: all of the text is one string.
 *
 * @throws AisecError BACKUP_FORMAT.
 */
export async function readDefinitions(engine: PGlite, section: DefinitionSection): Promise<string> {
  const { pgDump } = await import('@electric-sql/pglite-tools/pg_dump');
  let tail = '';
  let isLossy = false;
  const connection = {
    execProtocolRawStream: (message: Uint8Array, options: { onRawData: (data: Uint8Array) => void }) =>
      engine.execProtocolRawStream(message, {
        ...options,
        onRawData: (data: Uint8Array) => {
          const text = tail + Buffer.from(data).toString('latin1');
          isLossy ||= LOST_LINE.test(text);
          tail = text.slice(-LONGEST_MATCH);
          options.onRawData(data);
        },
      }),
    // What the wrapper does with the session before and after is done here, and silently.
    query: () => Promise.resolve({ rows: [{ search_path: '' }] }),
    exec: () => Promise.resolve([]),
  };
  const file = await pgDump({
    // It uses these three only.
    pg: connection as unknown as PGlite,
    args: ['--no-owner', `--section=${section}`],
  });
  for (const statement of ['rollback', 'deallocate all', 'reset all']) await engine.exec(statement);
  if (isLossy) refuseLostLines();
  // PostgreSQL 16 does not know it.
  return (await file.text()).replace(/^SET transaction_timeout = 0;\n/m, '');
}
