import { fitTable } from './fit-table.js';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** SQL that is pasted: its lines stay lines, also in a pipe. For the last column only. */
  readonly hasLines?: true;
}

function pipeCell<Row>(text: string, column: Column<Row> | undefined): string {
  return column?.hasLines === true ? text : text.replaceAll(/[\t\n]/g, ' ');
}

/** A table with a header: aligned and fitted for a terminal of so many columns, tab-separated for a pipe. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  isTTY: boolean,
  width = Infinity,
): string {
  const cells = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => column.value(row))),
  ];
  if (!isTTY)
    return cells.map((line) => line.map((cell, index) => pipeCell(cell, columns[index])).join('\t')).join('\n');
  const fitted = columns.map(({ title, align = 'left', hasLines }) => ({ title, align, isFixed: hasLines === true }));
  return fitTable(cells, fitted, width);
}
