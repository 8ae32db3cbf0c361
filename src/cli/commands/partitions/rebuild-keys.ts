import { countText } from '../../../base/count.js';
import { AisecError } from '../../../base/errors.js';
import type { RebuildResult } from '../../../features/messages/keys/rebuild-keys.js';
import { defineCommand, type Context } from '../../command.js';
import { MAX_WAIT_OPTION, WAIT_OPTION } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';

interface Options {
  readonly dryRun: boolean;
  readonly wait: number;
  readonly maxWait: number;
}

function render(result: RebuildResult, { table }: Renderer): string {
  const rows = [
    { keys: 'inserted', count: result.insertedKeys },
    { keys: 'deleted', count: result.deletedKeys },
    { keys: 'corrected', count: result.correctedKeys },
  ].filter(({ count }) => count > 0);
  if (rows.length === 0) return '';
  return table(rows, [
    { title: result.isDryRun ? 'keys to be' : 'keys', value: (row) => row.keys },
    { title: 'count', value: (row) => String(row.count), align: 'right' },
  ]);
}

function summary({ database, isDryRun, insertedKeys, deletedKeys, correctedKeys }: RebuildResult): string {
  const count = insertedKeys + deletedKeys + correctedKeys;
  if (count === 0) return `${database}: nothing to do, message_keys equals the messages.`;
  return `${database}: ${isDryRun ? 'dry run; ' : ''}${countText(count, 'key')} ${isDryRun ? 'to change' : 'changed'}.`;
}

function refuseDoubled({ doubledIds, schema }: RebuildResult): void {
  if (doubledIds.length === 0) return;
  const shown = doubledIds.slice(0, 5).map((id) => `'${id}'`);
  const tables = ['messages', 'messages_archive'].map((table) => `"${schema.replaceAll('"', '""')}".${table}`);
  throw new AisecError('MESSAGES_DOUBLED', `${countText(doubledIds.length, 'id has', 'ids have')} several messages`, {
    detail: `Ids: ${doubledIds.slice(0, 5).join(', ')}${doubledIds.length > 5 ? ', …' : ''}. Their keys were left as they are; which message is to stay, a person decides.`,
    hint: `Run: ${tables.map((table) => `select tableoid::regclass, * from ${table} where id in (${shown.join(', ')});`).join(' ')}`,
  });
}

async function run(context: Context, options: Options): Promise<void> {
  const { config, output, progress } = context;
  const result = await context.withDatabase({}, async (session) => {
    const { rebuildKeys } = await import('../../../features/messages/keys/rebuild-keys.js');
    const { dryRun: isDryRun, wait: waitMs, maxWait: maxWaitMs } = options;
    return rebuildKeys(
      session,
      { schema: config.schema, isDryRun, waitMs, maxWaitMs },
      { onProgress: progress.report },
    );
  });
  output.done(result, render);
  output.note(summary(result));
  refuseDoubled(result);
}

export const partitionsRebuildKeys = defineCommand<Options>({
  name: 'partitions rebuild-keys',
  summary: 'make message_keys equal to the messages',
  description:
    'Compares every message, live and archived, with message_keys: inserts keys that are missing, deletes those without a message, and corrects the others, in small ' +
    'committed batches beside writers. Needed after a partition was truncated or dropped by hand, or loaded with triggers disabled. Messages are never changed: an id that several ' +
    'messages have is reported, exit 1.',
  options: [
    { flags: '--dry-run', description: 'show how many keys would change; change nothing' },
    MAX_WAIT_OPTION,
    WAIT_OPTION,
  ],
  examples: [
    ['aisec partitions rebuild-keys --dry-run', 'See what differs'],
    ['aisec partitions rebuild-keys', 'After a load with triggers disabled'],
  ],
  run,
});
