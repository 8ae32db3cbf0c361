import { AisecError } from '../../../base/errors.js';
import type { OptionSpec } from '../../command.js';

export interface ScriptOptions {
  readonly dryRun: boolean;
  readonly sql: boolean;
  readonly from?: readonly string[];
}

/** A script for psql in place of a run. */
export const SCRIPT_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--sql',
    description: 'write the script for psql instead, without a database',
    isForOneSchema: true,
  },
  {
    flags: '--from <name>',
    description: 'with --sql: the newest migration the database has; repeatable, one for each source',
    parse: (text) => text,
    isRepeatable: true,
    isForOneSchema: true,
  },
];

/** @throws AisecError USAGE. */
export function refuseScriptUsage({ sql, dryRun, from }: ScriptOptions): void {
  if (sql && dryRun)
    throw new AisecError('USAGE', '--sql and --dry-run cannot be used together', {
      hint: '--sql needs no database; --dry-run runs on one.',
    });
  if (from !== undefined && !sql)
    throw new AisecError('USAGE', '--from requires --sql', {
      hint: 'A run on a database starts from where the database is.',
    });
}
