import type { FilePosition } from './errors.js';

/**
 * File, line and column of a character of a text.
 *
 * @param offset characters before it, in JavaScript's count.
 * @param firstLine line of the file that the text begins on.
 */
export function placeInText(file: string, text: string, offset: number, firstLine = 1): Required<FilePosition> {
  const before = text.slice(0, offset).split('\n');
  return {
    file,
    line: firstLine + before.length - 1,
    column: (before.at(-1)?.length ?? 0) + 1,
    excerpt: (text.split('\n')[before.length - 1] ?? '').replace(/\r$/, ''),
  };
}
