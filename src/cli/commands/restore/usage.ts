import { AisecError } from '../../../base/errors.js';
import type { DanglingRule } from '../../../features/backup/restore/load-table.js';
import type { GivenTable } from './table-name.js';

export interface Options {
  readonly create?: string;
  readonly replace: boolean;
  readonly table?: GivenTable;
  readonly as?: GivenTable;
  readonly withoutManifest: boolean;
  readonly identity?: string;
  readonly endpoint?: string;
  readonly globals: boolean;
  readonly createRoles: boolean;
  /** Commander's negation: false with --no-owner. */
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly terminate: boolean;
  readonly dangling?: DanglingRule;
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

/** @throws AisecError USAGE for options that do not fit together. */
export function checkUsage(options: Options, argument: string): void {
  const modes = [options.create !== undefined, options.replace, options.table !== undefined].filter(Boolean).length;
  if (modes !== 1)
    throw new AisecError(
      'USAGE',
      modes === 0 ? 'no restore target was given' : 'only one of --create, --replace and --table can be given',
      {
        hint: `Into a new database: aisec restore ${argument} --create NAME. In place of the live one: --replace. One table: --table NAME.`,
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
  checkCopy(options);
  if (options.dangling !== undefined && options.table === undefined)
    throw new AisecError('USAGE', '--dangling requires --table', { hint: 'See: aisec restore --help' });
  if (options.table !== undefined && (options.globals || options.createRoles))
    throw new AisecError('USAGE', 'roles are restored with the whole database only', {
      hint: 'Leave out --globals and --create-roles, or give --create NAME.',
    });
}
