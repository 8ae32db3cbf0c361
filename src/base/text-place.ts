import type { FilePosition } from './errors.js';

/**
 * File, line and column of a character of a text.
 *
 * @param offset characters before it, in JavaScript's count.
 * @param firstLine line of the file that the text begins on.
 */
export function placeInText(file: string, text: string, offset: number, firstLine = 1): Required<FilePosition> {
  const at = Math.min(offset, text.length);
  let [line, start] = [firstLine, 0];
  for (let end = text.indexOf('\n'); end !== -1 && end < at; end = text.indexOf('\n', start)) {
    line += 1;
    start = end + 1;
  }
  const end = text.indexOf('\n', start);
  return {
    file,
    line,
    column: at - start + 1,
    excerpt: text.slice(start, end === -1 ? text.length : end).replace(/\r$/, ''),
  };
}

/** The server counts characters, JavaScript UTF-16 units: an emoji is two of them. */
function isSecondHalf(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0xdc_00 && unit <= 0xdf_ff;
}

/** How many characters stand before the place `offset` of a text. */
export function charactersBefore(text: string, offset: number): number {
  let count = 0;
  for (let index = 0; index < offset; index += 1) if (!isSecondHalf(text, index)) count += 1;
  return count;
}

/** Where the character stands that has `characters` before it; undefined: the text is shorter. */
export function offsetOfCharacter(text: string, characters: number): number | undefined {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (isSecondHalf(text, index)) continue;
    if (count === characters) return index;
    count += 1;
  }
  return count === characters ? text.length : undefined;
}
