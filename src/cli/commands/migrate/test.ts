import type { RoundTripFailure, RoundTripResult } from '../../../features/migrate/round-trip/round-trip.js';
import { defineCommand, type Context, type ExitCode, type Session } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';
import { reportingTo } from '../../reporting.js';
import { migrateSettings } from './settings.js';

interface Options {
  readonly server: boolean;
  readonly rows: boolean;
}

/** Enough for every table to have some. */
const DEMO = { users: 3, conversations: 10, messages: 400, embeddings: 5, months: 3, locale: 'en' } as const;

/** Rows of the demo, in a schema that has its tables; one that has not is tested without rows. */
function fillWithDemo({ config, output }: Context): (session: Session) => Promise<number> {
  return async (session) => {
    const { seedDemo } = await import('../../../features/seed/demo/run.js');
    const settings = { schema: config.schema, isDryRun: false, waitMs: 0, confirm: () => Promise.resolve() };
    const until = new Date().toISOString().slice(0, 10);
    const reporting = { onProgress: () => undefined, onWarning: (text: string) => output.warning(text) };
    const result = await seedDemo(session, { ...DEMO, seed: 'migrate-test', until }, settings, reporting);
    return result.rows;
  };
}

const STEP_TEXT: Readonly<Record<RoundTripFailure['step'], string>> = {
  down: 'Down does not take back what Up made',
  'up again': 'Up after Down makes something else than the first Up',
};

function renderFailures({ failures }: RoundTripResult, renderer: Renderer): string {
  const { table, paint, isTTY } = renderer;
  if (failures.length === 0) return '';
  const rows = failures.flatMap(({ differences, error, ...where }) => [
    ...differences.map(({ kind, object, property, before, after }) => ({
      ...where,
      kind,
      object,
      property,
      expected: JSON.stringify(before),
      found: JSON.stringify(after),
    })),
    ...(error === null ? [] : [{ ...where, kind: '', object: '', property: '', expected: '', found: error }]),
  ]);
  if (!isTTY)
    return table(rows, [
      { title: 'migration', value: (row) => row.migration },
      { title: 'database', value: (row) => row.database },
      { title: 'step', value: (row) => row.step },
      { title: 'kind', value: (row) => row.kind },
      { title: 'object', value: (row) => row.object },
      { title: 'property', value: (row) => row.property },
      { title: 'expected', value: (row) => row.expected },
      { title: 'found', value: (row) => row.found },
    ]);
  return failures
    .map(({ migration, database, step, differences, error }) => {
      const text = error === null ? STEP_TEXT[step] : `Up after Down does not run: ${error}`;
      const title = paint.red(`${migration}: ${text} (${database} database)`);
      const lines = differences.map(
        ({ kind, object, property, before, after }) =>
          `  ${kind} ${object}: ${property} expected ${JSON.stringify(before)}, found ${JSON.stringify(after)}`,
      );
      return [title, ...lines].join('\n');
    })
    .join('\n');
}

function summary(result: RoundTripResult, where: string): string {
  const { migrations, failures, irreversible, rows } = result;
  const filled = rows === null ? 'without rows' : `without rows and with ${rows}`;
  const oneWay = irreversible.length === 0 ? '' : ` No way back: ${irreversible.join(', ')}.`;
  if (failures.length === 0)
    return `${where}: ${migrations} migrations go up, down and up again to the same catalog, ${filled}.${oneWay}`;
  const names = [...new Set(failures.map(({ migration }) => migration))];
  return `${where}: ${names.length} of ${migrations} migrations do not: ${names.join(', ')}.${oneWay}`;
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  const settings = await migrateSettings(context);
  const createsUsers = settings.files.some(({ up }) => /\bcreate table users\b/i.test(up.sql));
  const fill = options.rows && createsUsers ? fillWithDemo(context) : undefined;
  const { testRoundTrip } = await import('../../../features/migrate/round-trip/round-trip.js');
  const test = (session: Session): Promise<RoundTripResult> =>
    testRoundTrip(session, { ...settings, fill }, reportingTo(context));
  let result: RoundTripResult;
  if (options.server) {
    const { withScratchOnServer } = await import('../../../features/migrate/round-trip/scratch-database.js');
    const access = await context.serverAccess();
    result = await access.withDatabase(access.databaseName, (session) =>
      withScratchOnServer(session, (database) => context.withDatabase({ database, isSilent: true }, test)),
    );
  } else result = await context.withScratchDatabase(test, { isSilent: true });
  context.output.result(result, renderFailures);
  context.output.note(summary(result, options.server ? 'a scratch database on the server' : 'a database in memory'));
  return result.isEqual ? undefined : 3;
}

export const migrateTest = defineCommand<Options>({
  name: 'migrate test',
  summary: 'try every migration up, down and up again on a scratch database',
  description:
    'Applies, reverts and applies again each migration and compares the catalogs: a Down that leaves or forgets something, and an Up that makes something else the second ' +
    'time, are listed by object and property, exit 3. First on tables without rows, then on demo rows. In memory, or with --server in a new database of the configured server, which is dropped afterwards; the configured database is not touched.',
  options: [
    { flags: '--server', description: 'use a new database on the configured server (needs CREATEDB)' },
    { flags: '--no-rows', description: 'leave out the run on tables with rows' },
  ],
  examples: [
    ['aisec migrate test', 'Before a migration is committed: does its Down take back its Up?'],
    ['aisec migrate test --server', 'The same on the version of the server that is used'],
  ],
  run,
});
