import path from 'node:path';

import { AisecError } from '../../../base/errors.js';
import { directoryOf, type DirectoryOption } from '../../backup-place.js';
import type { Context } from '../../context.js';
import type { OptionSpec } from '../../command.js';

export interface DrillsOption {
  readonly drills?: string;
}

export const DRILLS_OPTION: OptionSpec = {
  flags: '--drills <file>',
  description: 'records of drills, a line of JSON each (default: drills.ndjson in the directory of the backups)',
};

/** Absolute. @throws AisecError USAGE for an empty one. */
export function drillsFileOf(context: Context, options: DrillsOption & DirectoryOption): string {
  const { drills } = options;
  if (drills === '') throw new AisecError('USAGE', '--drills is empty', { hint: 'Is a shell variable not set?' });
  return drills === undefined
    ? path.join(directoryOf(context, options), 'drills.ndjson')
    : path.resolve(context.config.cwd, drills);
}
