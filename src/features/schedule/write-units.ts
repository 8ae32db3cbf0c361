import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { readText } from '../../adapters/files/read.js';
import { writeWhole } from '../../adapters/files/write-whole.js';
import { AisecError, messageOf } from '../../base/errors.js';
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
  if (isDryRun) return changed.map(({ name }) => name);
  for (const { name, text } of changed) {
    try {
      writeWhole(join(directory, name), text, 0o644);
    } catch (error) {
      throw new AisecError('CONFIG_INVALID', `could not write "${join(directory, name)}"`, {
        detail: `${messageOf(error)}.`,
        hint: '/etc/systemd/system belongs to root: run it with sudo.',
        cause: error,
      });
    }
  }
  return changed.map(({ name }) => name);
}
