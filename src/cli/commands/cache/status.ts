import { formatBytes } from '../../../base/bytes.js';
import type { CacheState } from '../../../features/cache/status.js';
import { defineCommand, type Context } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';

function renderStatus({ tables }: CacheState, { table }: Renderer): string {
  return table(tables, [
    { title: 'table', value: (row) => row.table },
    { title: 'entries', value: (row) => String(row.entries), align: 'right' },
  ]);
}

async function run(context: Context): Promise<void> {
  const { output } = context;
  const state = await context.withCache(async (access) =>
    context.withDatabase({}, async (session) => {
      const { cacheStatus } = await import('../../../features/cache/status.js');
      return cacheStatus(session, access);
    }),
  );
  output.result(state, renderStatus);
  const { redis, redisVersion, redisUsedMemoryBytes, database, listeners, isShared, otherKeys } = state;
  output.note(`${redis}: version ${redisVersion}, ${formatBytes(redisUsedMemoryBytes)} in use.`);
  output.note(
    isShared
      ? `${database}: services share the cache; connections that listen: ${listeners}.`
      : `${database}: no service shares the cache now, so nothing in Redis is used.`,
  );
  if (otherKeys > 0) output.note(`${otherKeys} more keys are of other times or databases; they expire by themselves.`);
}

export const cacheStatusCommand = defineCommand({
  name: 'cache status',
  summary: 'show what is in the cache and whether services share it',
  description:
    'Asks the services that share the cache, through the database, for the epoch that is in force, and counts its entries in Redis (REDIS_URL). Reads only.',
  options: [],
  examples: [
    ['aisec cache status', 'Whether services share the cache, and how many entries it has'],
    ['aisec cache status --json', 'For a program'],
  ],
  run,
});
