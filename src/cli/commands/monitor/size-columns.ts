import type { TableSize } from '../../../features/monitor/table-sizes.js';
import type { Renderer } from '../../terminal/output.js';
import type { Column } from '../../terminal/table.js';
import { cellsFor } from './cells.js';

type Sizes = { readonly [Name in keyof TableSize]: TableSize[Name] | null };

/** The columns that tables and months have in common. On a terminal `~` marks an estimate, in a pipe a column does. */
export function sizeColumns<Row extends Sizes>({ isTTY, paint }: Renderer): readonly Column<Row>[] {
  const { bytes, count } = cellsFor({ isTTY });
  const sized = (row: Row, sizeBytes: number | null): string =>
    isTTY && row.isEstimated === true ? paint.yellow(`~${bytes(sizeBytes)}`) : bytes(sizeBytes);
  const columns: readonly Column<Row>[] = [
    { title: 'rows', value: (row) => count(row.rows), align: 'right' },
    { title: 'dead rows', value: (row) => count(row.deadRows), align: 'right' },
    { title: 'total', value: (row) => sized(row, row.totalBytes), align: 'right' },
    { title: 'heap', value: (row) => sized(row, row.heapBytes), align: 'right' },
    { title: 'maps', value: (row) => sized(row, row.mapBytes), align: 'right' },
    { title: 'toast', value: (row) => sized(row, row.toastBytes), align: 'right' },
    { title: 'indexes', value: (row) => sized(row, row.indexBytes), align: 'right' },
  ];
  const locked: Column<Row> = { title: 'locked by', value: (row) => String(row.lockedBy ?? '') };
  return isTTY ? columns : [...columns, locked];
}

/** Which sizes are no measured ones, and whom that is to be asked. */
export function estimateNotes(rows: readonly (Sizes & { readonly name: string })[]): readonly string[] {
  return rows
    .filter(({ isEstimated }) => isEstimated === true)
    .map(({ name, lockedBy }) =>
      lockedBy === null
        ? `~ ${name}: estimated, since locks came and went while it was measured.`
        : `~ ${name}: estimated, since pid ${lockedBy} has a part of it locked or waits to (aisec monitor locks).`,
    );
}
