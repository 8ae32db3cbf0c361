import { AisecError } from '../../../base/errors.js';
import type { OptionSpec } from '../../command.js';
import type { Context } from '../../context.js';
import { migrateSettings } from '../../migrate-settings.js';

/** What both commands understand. */
export interface SourceOptions {
  readonly source: 'migrations' | 'database';
  readonly importFrom?: string;
  readonly validators: boolean;
}

function sourceOption(text: string): SourceOptions['source'] {
  if (text === 'migrations' || text === 'database') return text;
  throw new AisecError('USAGE', `invalid source of types "${text}"`, { hint: 'Give migrations or database.' });
}

function moduleOption(text: string): string {
  if (/^[\w@./-]+$/.test(text)) return text;
  throw new AisecError('USAGE', `invalid module name "${text}"`, { hint: 'Such as aisec/schema.' });
}

export const SOURCE_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--source <source>',
    description: 'migrations (replayed in memory, no server needed) or database (as it is)',
    default: 'migrations',
    parse: sourceOption,
  },
  {
    flags: '--import-from <module>',
    description:
      'module of the types of columns (default: aisec/schema), or with --validators of their validators (aisec/zod)',
    parse: moduleOption,
  },
  { flags: '--validators', description: 'Zod validators of inserts and updates instead of types', default: false },
];

type Print = (session: Parameters<Parameters<Context['withScratchDatabase']>[0]>[0], schema: string) => Promise<string>;

/** No other session is in a database in memory. */
const LOCKS = { lockTimeoutMs: 0, maxWaitMs: 0, waitMs: 0 } as const;

async function printerOf({ validators, importFrom }: SourceOptions): Promise<Print> {
  if (!validators) {
    const { generateTypes } = await import('../../../features/types/generate.js');
    return (session, schema) => generateTypes(session, schema, importFrom ?? 'aisec/schema');
  }
  const { generateValidators } = await import('../../../features/types/validators.js');
  return (session, schema) => generateValidators(session, schema, importFrom ?? 'aisec/zod');
}

/** The text of the types or validators, from the source that was asked for. */
export async function typesFrom(context: Context, options: SourceOptions): Promise<string> {
  const { config, output, progress } = context;
  const { schema } = config;
  const print = await printerOf(options);
  if (options.source === 'database')
    return context.withDatabase({ statementTimeoutMs: 60_000 }, (session) => print(session, schema));

  const { migrateUp } = await import('../../../features/migrate/up.js');
  const settings = await migrateSettings(context);
  return context.withScratchDatabase(async (session) => {
    const upOptions = { ...settings, to: undefined, allowsLate: false, ...LOCKS };
    const onWarning = (message: string): void => output.warning(message);
    await migrateUp(session, upOptions, { onProgress: progress.report, onWarning });
    return print(session, schema);
  });
}
