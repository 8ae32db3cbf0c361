import type { SyncResult } from '../../../features/cache/sync.js';
import { defineCommand, type Context } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';

interface Options {
  readonly dryRun: boolean;
}

export function renderDifferences({ differences }: SyncResult, { table }: Renderer): string {
  if (differences.length === 0) return '';
  return table(differences, [
    { title: 'table', value: (row) => row.table },
    { title: 'user', value: (row) => row.userId ?? '' },
    { title: 'entry', value: (row) => row.key },
  ]);
}

export function noteOfSync({ redis, compared, isShared }: SyncResult): string {
  return isShared
    ? `${redis}: all ${compared} entries are as in the database.`
    : `${redis}: no service shares the cache now; nothing to do.`;
}

export async function compareCache(
  { progress, withCache, withDatabase }: Context,
  isDryRun: boolean,
): Promise<SyncResult> {
  return withCache((access) =>
    withDatabase({}, async (session) => {
      const { syncCache } = await import('../../../features/cache/sync.js');
      return syncCache(session, access, isDryRun, { onProgress: progress.report });
    }),
  );
}

async function run(context: Context, { dryRun }: Options): Promise<void> {
  const { output } = context;
  const result = await compareCache(context, dryRun);
  output.done(result, renderDifferences);
  const { compared, differences } = result;
  if (differences.length === 0) output.note(noteOfSync(result));
  else
    output.warning(
      `${differences.length} of ${compared} entries were not as in the database; ${dryRun ? 'a run without --dry-run drops them' : 'they were dropped'}`,
    );
}

export const cacheSync = defineCommand<Options>({
  name: 'cache sync',
  summary: 'compare the cache with the database and drop what differs',
  description:
    'Reads every entry in Redis that services answer from, and the same rows from the database, each as its owner, and has all services forget those that differ. ' +
    'That happens only when rows were changed with the triggers off. An entry that changes meanwhile is not counted.',
  options: [{ flags: '--dry-run', description: 'show the entries that differ; drop none' }],
  examples: [
    ['aisec cache sync', 'After a repair with the triggers off, without emptying everything'],
    ['aisec cache sync --dry-run', 'See which entries would be dropped'],
  ],
  run,
});
