import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { readText } from '../../adapters/files/read.js';
import { writeNamed } from '../../adapters/files/write-named.js';
import { AisecError } from '../../base/errors.js';
import type { Unit } from './systemd.js';

/**
 * Writes the units that are not there as they should be, and returns their names.
 *
 * @throws AisecError CONFIG_INVALID when the directory does not exist or a file cannot be written.
 */
export function writeUnits(units: readonly Unit[], directory: string, isDryRun: boolean): readonly string[] {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new AisecError('CONFIG_INVALID', `there is no directory "${directory}"`, {
      hint: `Make it: mkdir -p ${directory}`,
    });
  const changed = units.filter(({ name, text }) => {
    const file = join(directory, name);
    return !existsSync(file) || readText(file) !== text;
  });
  const hint = '/etc/systemd/system belongs to root: run it with sudo.';
  if (!isDryRun) for (const { name, text } of changed) writeNamed(join(directory, name), text, { mode: 0o644, hint });
  return changed.map(({ name }) => name);
}
