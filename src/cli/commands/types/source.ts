import { AisecError } from '../../../base/errors.js';
import type { Context, OptionSpec } from '../../command.js';
import { choiceOption, listOption } from '../../options.js';
import { migrateSettings } from '../../migrate-settings.js';
import type { GeneratedText } from '../../../features/types/generate.js';
import type { LeftOut, Selection } from '../../../features/types/selection.js';

/** What both commands understand. */
export interface SourceOptions {
  readonly source: 'migrations' | 'database';
  readonly importFrom?: string;
  readonly validators: boolean;
  readonly schemas?: readonly string[];
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
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
    parse: choiceOption(['migrations', 'database'], 'source of types', { hint: 'Give migrations or database.' }),
    values: ['migrations', 'database'],
  },
  {
    flags: '--import-from <module>',
    description:
      'module of the types of columns (default: aisec/schema), or with --validators of their validators (aisec/zod)',
    parse: moduleOption,
  },
  { flags: '--validators', description: 'Zod validators of inserts and updates instead of types' },
  {
    flags: '--schemas <names>',
    description: 'further schemas, with commas; their tables are named billing.invoices',
    parse: listOption,
  },
  {
    flags: '--include <list>',
    description: 'only tables and views with such names, with commas; * is any text. May be given several times',
    parse: (text) => text,
    isRepeatable: true,
  },
  {
    flags: '--exclude <list>',
    description: 'none with such names, with commas. May be given several times',
    parse: (text) => text,
    isRepeatable: true,
  },
];

type Print = (
  session: Parameters<Parameters<Context['withScratchDatabase']>[0]>[0],
  selection: Selection,
) => Promise<GeneratedText>;

/** No other session is in a database in memory. */
const LOCKS = { lockTimeoutMs: 0, maxWaitMs: 0, waitMs: 0 } as const;

async function printerOf({ validators, importFrom }: SourceOptions): Promise<Print> {
  if (!validators) {
    const { generateTypes } = await import('../../../features/types/generate.js');
    return (session, selection) => generateTypes(session, selection, importFrom ?? 'aisec/schema');
  }
  const { generateValidators } = await import('../../../features/types/validators.js');
  return (session, selection) => generateValidators(session, selection, importFrom ?? 'aisec/zod');
}

/** The text of the types or validators, from the source that was asked for. */
export async function typesFrom(context: Context, options: SourceOptions): Promise<GeneratedText> {
  const { config, output, progress } = context;
  const { schemas = [], include = [], exclude = [] } = options;
  const selection: Selection = {
    schema: config.schema,
    schemas,
    include: include.flatMap(listOption),
    exclude: exclude.flatMap(listOption),
  };
  const print = await printerOf(options);
  if (options.source === 'database')
    return context.withDatabase({ statementTimeoutMs: 60_000 }, (session) => print(session, selection));

  const { migrateUp } = await import('../../../features/migrate/up.js');
  const settings = await migrateSettings(context);
  return context.withScratchDatabase(async (session) => {
    const upOptions = { ...settings, to: undefined, allowsLate: false, ...LOCKS };
    const onWarning = (message: string): void => output.warning(message);
    await migrateUp(session, upOptions, { onProgress: progress.report, onWarning });
    return print(session, selection);
  });
}

const REASONS: Readonly<Record<LeftOut['reason'], string>> = {
  'other schema': 'in other schemas (--schemas takes them in)',
  'no privilege': 'without a privilege of role authenticated',
  excluded: 'excluded by name',
};

/** One line for each reason why a table or view is not in the file. */
export function leftOutLines(leftOut: readonly LeftOut[]): readonly string[] {
  return Object.entries(REASONS).flatMap(([reason, text]) => {
    const names = leftOut.filter((each) => each.reason === reason).map(({ relation }) => relation);
    return names.length === 0 ? [] : [`left out, ${text}: ${names.join(', ')}`];
  });
}
