import type { FilePosition } from '../../base/errors.js';
import type { MigrationFile, MigrationSection } from './migration-file.js';

/** File, line and column of the character at `offset` (from 0) of a section. */
export function placeInSection(file: MigrationFile, section: MigrationSection, offset: number): Required<FilePosition> {
  const before = section.sql.slice(0, offset).split('\n');
  const line = section.line + before.length - 1;
  return {
    file: file.path,
    line,
    column: (before.at(-1)?.length ?? 0) + 1,
    excerpt: file.content.split('\n')[line - 1] ?? '',
  };
}
