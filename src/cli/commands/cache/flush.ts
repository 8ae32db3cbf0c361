import { defineCommand, type Context } from '../../command.js';

interface Options {
  readonly dryRun: boolean;
}

async function run(context: Context, { dryRun }: Options): Promise<void> {
  const { output } = context;
  const result = await context.withCache(async (access) => {
    const { flushCache } = await import('../../../features/cache/flush.js');
    return flushCache(access, dryRun);
  });
  output.result(result, () => '');
  output.note(
    dryRun
      ? `${result.redis}: dry run; ${result.keys} keys would be removed.`
      : `${result.redis}: ${result.keys} keys removed; services have forgotten what they kept.`,
  );
}

export const cacheFlush = defineCommand<Options>({
  name: 'cache flush',
  summary: 'empty the cache, in Redis and in the services',
  description:
    'Makes all services drop what they keep of the read-mostly tables, through the database, and removes the keys from Redis. Needed only after rows were ' +
    'changed with the triggers off. Rows are then read from the database again; nothing is lost.',
  options: [{ flags: '--dry-run', description: 'count the keys; change nothing' }],
  examples: [
    ['aisec cache flush', 'After pg_restore --disable-triggers'],
    ['aisec cache flush --dry-run', 'How many keys there are'],
  ],
  run,
});
