import { AisecError } from '../../../base/errors.js';
import type { Month } from '../../../base/month.js';
import type { ExistingRule } from '../../../features/backup/restore-rows.js';
import type { DatabaseLocale } from '../../../features/backup/server/create-database.js';
import type { DanglingRule } from '../../../features/backup/restore/load-table.js';
import type { RowsDanglingRule } from '../../../features/backup/rows/settle.js';
import type { PlaceOptions } from '../../backup-place.js';
import { checkSource } from './source.js';
import type { GivenRows } from './rows-option.js';
import type { GivenTable } from '../../../base/table-name.js';
import { shellWord } from '../../../base/package/aisec-command.js';

export interface Options extends PlaceOptions {
  readonly latest: boolean;
  readonly create?: string;
  readonly replace: boolean;
  readonly table?: GivenTable;
  readonly as?: GivenTable;
  readonly withoutManifest: boolean;
  readonly identity?: string;
  readonly globals: boolean;
  readonly createRoles: boolean;
  /** Commander's negation: false with --no-owner. */
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly locale?: DatabaseLocale;
  readonly terminate: boolean;
  readonly dangling?: DanglingRule | RowsDanglingRule;
  readonly rows?: GivenRows;
  readonly user?: string;
  readonly month?: Month;
  readonly existing?: ExistingRule;
  readonly confirm?: string;
  readonly jobs?: number;
  readonly dryRun: boolean;
  readonly wait: number;
}

/** PostgreSQL would cut it silently. */
export const LONGEST_NAME_BYTES = 63;

function checkCopy({ as, table, dangling }: Options): void {
  if (as === undefined) return;
  if (table === undefined)
    throw new AisecError('USAGE', '--as requires --table', { hint: 'See: aisec restore --help' });
  if (dangling !== undefined)
    throw new AisecError('USAGE', '--dangling and --as cannot be used together', {
      hint: 'A copy has no foreign keys to other tables, so all of its rows are restored.',
    });
  if (Buffer.byteLength(as.name) > LONGEST_NAME_BYTES)
    throw new AisecError('USAGE', `--as: invalid table name "${as.name}"`, { hint: 'A name has 1 to 63 bytes.' });
}

function checkRows({ dangling, existing, table, user }: Options, isOfRows: boolean): void {
  const hint = 'See: aisec restore --help';
  if (user === '') throw new AisecError('USAGE', '--user is empty', { hint: 'Is a shell variable not set?' });
  if (existing !== undefined && !isOfRows)
    throw new AisecError('USAGE', '--existing requires --rows, --user or --month', { hint });
  if (dangling !== undefined && table === undefined && !isOfRows)
    throw new AisecError('USAGE', '--dangling requires --table, --rows, --user or --month', { hint });
  if (dangling === 'not-valid' && isOfRows)
    throw new AisecError('USAGE', '--dangling not-valid requires --table', { hint });
  if (dangling === 'set-null' && !isOfRows)
    throw new AisecError('USAGE', '--dangling set-null requires --rows, --user or --month', { hint });
}

/** @throws AisecError USAGE for options that do not fit together. */
export function checkUsage(options: Options, argument: string): void {
  checkSource(options, argument);
  const { rows, user, month } = options;
  const ofRows = [rows, user, month].filter((each) => each !== undefined).length;
  const modes =
    [options.create !== undefined, options.replace, options.table !== undefined].filter(Boolean).length + ofRows;
  if (modes !== 1)
    throw new AisecError(
      'USAGE',
      modes === 0
        ? 'no restore target was given'
        : 'only one of --create, --replace, --table, --rows, --user and --month can be given',
      {
        hint: `Into a new database: aisec restore ${argument === '' ? '--latest' : shellWord(argument)} --create NAME. In place of the live one: --replace. One table: --table NAME. Some rows: --user NAME, --month YYYY-MM.`,
      },
    );
  if (options.globals && options.createRoles)
    throw new AisecError('USAGE', '--globals and --create-roles cannot be used together', {
      hint: '--globals makes the roles as they were, --create-roles makes them without login.',
    });
  if (options.create === '')
    throw new AisecError('USAGE', '--create is empty', { hint: 'Is a shell variable not set?' });
  if (options.terminate && !options.replace)
    throw new AisecError('USAGE', '--terminate requires --replace', { hint: 'See: aisec restore --help' });
  if (options.locale !== undefined && options.create === undefined && !options.replace)
    throw new AisecError('USAGE', '--locale requires --create or --replace', { hint: 'See: aisec restore --help' });
  checkCopy(options);
  checkRows(options, ofRows > 0);
  if ((options.table !== undefined || ofRows > 0) && (options.globals || options.createRoles))
    throw new AisecError('USAGE', 'roles are restored with the whole database only', {
      hint: 'Leave out --globals and --create-roles, or give --create NAME.',
    });
}
