import path from 'node:path';

import { isStoreUrl } from '../../../config/store-url.js';
import { directoryOf, givenPath, type DirectoryOption } from '../../backup-place.js';
import type { Context, OptionSpec } from '../../command.js';

export interface DrillsOption {
  readonly drills?: string;
}

export const DRILLS_OPTION: OptionSpec = {
  flags: '--drills <file>',
  description: 'records of drills, a line of JSON each (default: drills.ndjson in the directory of the backups)',
};

/**
 * Absolute.
 *
 * @param file a backup that was chosen, which may lie in another directory
 * @throws AisecError USAGE for an empty one.
 */
export function drillsFileOf(context: Context, options: DrillsOption & DirectoryOption, file?: string): string {
  const given = givenPath(context, options.drills);
  if (given !== undefined) return given;
  const isHere = file !== undefined && !isStoreUrl(file);
  return path.join(isHere ? path.dirname(file) : directoryOf(context, options), 'drills.ndjson');
}
