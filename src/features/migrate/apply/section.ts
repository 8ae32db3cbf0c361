import type { Direction } from '../../../adapters/migration-engine/engine.js';
import { AisecError } from '../../../base/errors.js';
import type { MigrationFile, MigrationSection } from '../files/migration-file.js';
import { labelOf } from '../files/source.js';

/** @throws AisecError MIGRATION_IRREVERSIBLE. */
export function sectionOf(file: MigrationFile, direction: Direction): MigrationSection {
  const section = direction === 'up' ? file.up : file.down;
  if (section !== undefined) return section;
  throw new AisecError('MIGRATION_IRREVERSIBLE', `migration ${labelOf(file)} cannot be reverted`, {
    detail: `It says: ${file.irreversibleReason ?? ''}.`,
    hint: 'Write a new migration that undoes what can be undone, or restore a backup.',
  });
}
