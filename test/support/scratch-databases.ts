import pg from 'pg';
import { vi } from 'vitest';

/** The scratch databases that a run in this process makes: other test files make theirs on the same server. */
export async function scratchDatabasesOf(run: () => Promise<unknown>): Promise<readonly string[]> {
  const sent = vi.spyOn(pg.Client.prototype, 'query');
  try {
    await run();
    return sent.mock.calls.flatMap(([text]) => {
      const said = typeof text === 'string' ? text : (text as { readonly text?: string }).text;
      return /^create database "(aisec_scratch_\w+)"/.exec(said ?? '')?.[1] ?? [];
    });
  } finally {
    sent.mockRestore();
  }
}
