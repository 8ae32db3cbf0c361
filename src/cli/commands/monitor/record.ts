import { DAY_MS } from '../../../base/duration.js';
import { subtractAge, type Age } from '../../../base/age.js';
import { formatBytes } from '../../../base/bytes.js';
import { AisecError } from '../../../base/errors.js';
import type { RecordResult } from '../../../features/monitor/record.js';
import { defineCommand, type Context } from '../../command.js';
import { ageOption, durationOption } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';

interface Options {
  readonly every: number;
  readonly keep: Age;
  readonly dryRun: boolean;
}

const MINUTE_MS = 60_000;

/** The slots of a day begin at the same times every day. @throws AisecError USAGE. */
function slotOption(text: string): number {
  const slotMs = durationOption(text);
  if (slotMs >= MINUTE_MS && slotMs <= DAY_MS && DAY_MS % slotMs === 0) return slotMs;
  throw new AisecError('USAGE', `invalid interval "${text}"`, {
    hint: 'Give 1m to 1d, so that a day has whole slots.',
  });
}

/** Less than a week is not enough to know the growth from. @throws AisecError USAGE. */
function keepOption(text: string): Age {
  const keep = ageOption(text);
  const now = new Date();
  const days = (now.getTime() - subtractAge(now, keep).getTime()) / DAY_MS;
  if (days >= 7 && days <= 3660) return keep;
  throw new AisecError('USAGE', `invalid age "${text}": expected 7d to 10y`, { hint: 'See --help.' });
}

function renderRecord({ tables, isNew }: RecordResult, { table, isTTY }: Renderer): string {
  if (!isNew) return '';
  const size = (bytes: number): string => (isTTY ? formatBytes(bytes) : String(bytes));
  return table(tables, [
    { title: 'table', value: (row) => row.table },
    { title: 'rows', value: (row) => String(row.rows ?? ''), align: 'right' },
    { title: 'total', value: (row) => size(row.totalBytes), align: 'right' },
    { title: 'heap', value: (row) => size(row.heapBytes), align: 'right' },
    { title: 'toast', value: (row) => size(row.toastBytes), align: 'right' },
    { title: 'index', value: (row) => size(row.indexBytes), align: 'right' },
  ]);
}

function printNotes({ output }: Context, result: RecordResult): void {
  const { database, slot, isNew, isDryRun, databaseBytes, deletedRecords, lockedTables } = result;
  const deleted = deletedRecords === 0 ? '' : `; ${deletedRecords} older records deleted`;
  if (!isNew) output.note(`${database}: nothing to do, the slot ${slot} has its record.`);
  else if (isDryRun)
    output.note(`${database}: dry run, nothing written; ${formatBytes(databaseBytes)} would be recorded for ${slot}.`);
  else output.note(`${database}: ${formatBytes(databaseBytes)} recorded for ${slot}${deleted}.`);
  if (isNew && lockedTables.length > 0)
    output.warning(`left out, since a session has them locked: ${lockedTables.join(', ')}`);
}

function acrossText({ isNew, isDryRun }: RecordResult): string {
  if (!isNew) return 'has its record';
  return isDryRun ? 'would be recorded' : 'recorded';
}

async function run(context: Context, options: Options): Promise<void> {
  const { config, output } = context;
  const result = await context.withDatabase({}, async (session) => {
    const { recordSizes } = await import('../../../features/monitor/record.js');
    return recordSizes(session, {
      schema: config.schema,
      slotMs: options.every,
      keep: options.keep,
      isDryRun: options.dryRun,
    });
  });
  output.done(result, renderRecord);
  printNotes(context, result);
}

export const monitorRecord = defineCommand<Options>({
  name: 'monitor record',
  summary: 'write down how large the database and its tables are',
  description:
    'Writes one record of sizes to the table size_records, for `monitor growth`. Run it from cron as often as you like, and from several machines: each time slot gets one record, ' +
    'and a second run finds nothing to do. A table that another session has locked is left out of the record; nothing waits for it.',
  options: [
    {
      flags: '--every <duration>',
      description: 'length of a time slot, 1m to 1d',
      default: '1h',
      parse: slotOption,
    },
    {
      flags: '--keep <age>',
      description: 'delete records that are older: 7d to 10y',
      default: '400d',
      parse: keepOption,
    },
    { flags: '--dry-run', description: 'measure, and write nothing' },
  ],
  acrossSchemas: acrossText,
  examples: [
    ['aisec monitor record --quiet', 'For a job, hourly or daily'],
    ['aisec monitor record --every 1d --keep 3y', 'One record a day, for three years'],
  ],
  run,
});
