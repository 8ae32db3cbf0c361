import { existsSync } from 'node:fs';

import { readText } from '../../adapters/files/read.js';
import { writeNamed } from '../../adapters/files/write-named.js';
import { AisecError } from '../../base/errors.js';
import { changedLines, type ChangedLine } from './compare.js';
import { shellWord } from '../../base/package/aisec-command.js';

export interface Comparison {
  readonly isCurrent: boolean;
  /** Empty when the file is current. */
  readonly changes: readonly ChangedLine[];
}

/** What a formatter may change: blanks, quotes, a leading | and trailing commas. */
function withoutFormat(text: string): string {
  return text
    .replaceAll(/["']/g, "'")
    .replaceAll(/([=<(:])\s*\|/g, '$1')
    .replaceAll(/[\s;,]+/g, '');
}

/** @throws AisecError CONFIG_INVALID when it is not there. `shown` is its name for messages. */
export function readTypesFile(file: string, shown: string): string {
  if (existsSync(file)) return readText(file);
  throw new AisecError('CONFIG_INVALID', `there is no file "${shown}"`, {
    hint: `Write it: aisec types generate --out ${shellWord(shown)}`,
  });
}

export function compareWithFile(current: string, wanted: string): Comparison {
  const isCurrent = withoutFormat(current) === withoutFormat(wanted);
  return { isCurrent, changes: isCurrent ? [] : changedLines(current, wanted) };
}

/**
 * Writes the file unless it has these types already, whatever its format.
 *
 * @throws AisecError CONFIG_INVALID when it cannot be written.
 */
export function updateTypesFile(file: string, wanted: string, isDryRun: boolean): { readonly isChanged: boolean } {
  const isChanged = !existsSync(file) || !compareWithFile(readText(file), wanted).isCurrent;
  if (isChanged && !isDryRun) writeNamed(file, wanted);
  return { isChanged };
}
