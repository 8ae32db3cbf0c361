import stringWidth from 'string-width';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** SQL that is pasted: its lines stay lines, also in a pipe. For the last column only. */
  readonly hasLines?: true;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'right' ? blanks + text : text + blanks;
}

function pipeCell<Row>(text: string, column: Column<Row> | undefined): string {
  return column?.hasLines === true ? text : text.replaceAll(/[\t\n]/g, ' ');
}

/** A table with a header: aligned for a terminal, tab-separated for a pipe. */
export function renderTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], isTTY: boolean): string {
  const cells = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => column.value(row))),
  ];
  if (!isTTY)
    return cells.map((line) => line.map((cell, index) => pipeCell(cell, columns[index])).join('\t')).join('\n');
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => stringWidth(line[index] ?? ''))));
  return cells
    .map((line) =>
      line
        .map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.align ?? 'left'))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
