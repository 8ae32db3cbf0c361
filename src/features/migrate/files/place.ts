import type { FilePosition } from '../../../base/errors.js';
import { placeInText } from '../../../base/text-place.js';
import type { MigrationFile, MigrationSection } from './migration-file.js';

/** File, line and column of the character at `offset` (from 0) of a section. */
export function placeInSection(file: MigrationFile, section: MigrationSection, offset: number): Required<FilePosition> {
  return placeInText(file.path, section.sql, offset, section.line);
}
