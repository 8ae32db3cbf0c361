import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

const GAP = '  ';
/** Narrower columns of words are not read but deciphered. */
const LEAST_WIDTH = 12;

/** A cell's column: figures and SQL keep their lines, words may be broken. */
export interface FittedColumn {
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly isFixed: boolean;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'right' ? blanks + text : text + blanks;
}

function widthOf(cell: string): number {
  return Math.max(0, ...cell.split('\n').map((line) => stringWidth(line)));
}

function wrapped(text: string, width: number): readonly string[] {
  // Blanks in front are an indentation.
  if (widthOf(text) <= width) return text.split('\n');
  return wrapAnsi(text, width, { hard: false, trim: true }).split('\n');
}

function longestWord(cell: string): number {
  return Math.max(0, ...cell.split(/\s+/).map((word) => stringWidth(word)));
}

/** Column widths that fit, taken from the widest columns of words; undefined when there is no such. */
function fittedWidths(
  cells: readonly (readonly string[])[],
  columns: readonly FittedColumn[],
  width: number,
): readonly number[] | undefined {
  const of = (index: number, measure: (cell: string) => number): number =>
    Math.max(...cells.map((line) => measure(line[index] ?? '')));
  const widths = columns.map((_, index) => of(index, widthOf));
  const least = columns.map(({ align, isFixed }, index) =>
    isFixed || align === 'right'
      ? of(index, widthOf)
      : Math.max(Math.min(LEAST_WIDTH, of(index, widthOf)), of(index, longestWord)),
  );
  let excess = widths.reduce((sum, one) => sum + one, GAP.length * (columns.length - 1)) - width;
  while (excess > 0) {
    const room = widths.map((one, index) => (one > (least[index] ?? 0) ? one : 0));
    const widest = room.indexOf(Math.max(...room));
    if ((room[widest] ?? 0) === 0) return undefined;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}

/** One row below the other, each cell with its title: what is left where a table has no room. */
function asRecords(rows: readonly (readonly string[])[], columns: readonly FittedColumn[], width: number): string {
  const label = Math.max(0, ...columns.map(({ title }) => stringWidth(title)));
  const records = rows.map((cells) =>
    columns
      .flatMap(({ title, isFixed }, index) => {
        const cell = cells[index] ?? '';
        if (cell === '') return [];
        const room = width - label - GAP.length;
        const lines = isFixed || room < LEAST_WIDTH ? cell.split('\n') : wrapped(cell, room);
        return lines.map((line, number) => `${pad(number === 0 ? title : '', label, 'left')}${GAP}${line}`.trimEnd());
      })
      .join('\n'),
  );
  return records.join('\n\n');
}

/**
 * A table of a terminal. Where it is too wide, its words continue in the next line; where that is not enough, each row becomes
 * a record. SQL and single words are never broken, since they are pasted.
 *
 * @param cells the titles, and then the rows
 */
export function fitTable(
  cells: readonly (readonly string[])[],
  columns: readonly FittedColumn[],
  width: number,
): string {
  const widths = fittedWidths(cells, columns, width);
  if (widths === undefined) return asRecords(cells.slice(1), columns, width);
  return cells
    .flatMap((line) => {
      const lines = line.map((cell, index) =>
        columns[index]?.isFixed ? cell.split('\n') : wrapped(cell, widths[index] ?? 1),
      );
      const height = Math.max(...lines.map(({ length }) => length));
      return Array.from({ length: height }, (_, number) =>
        columns
          .map(({ align }, index) => pad(lines[index]?.[number] ?? '', widths[index] ?? 0, align))
          .join(GAP)
          .trimEnd(),
      );
    })
    .join('\n');
}
