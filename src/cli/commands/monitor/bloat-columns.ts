import type { MonitoredVacuum } from '../../../features/monitor/vacuum.js';
import type { Column } from '../../terminal/table.js';
import type { Cells } from './cells.js';

type Measured = Pick<MonitoredVacuum, 'bloat' | 'bloatUnknown'>;

/** Measured space, or why there is not a number: an empty cell would pass for none. */
export function bloatColumns<Row extends Measured>({ bytes, percent }: Cells): readonly Column<Row>[] {
  return [
    { title: 'unused', value: ({ bloat }) => (bloat === null ? '' : bytes(bloat.unusedBytes)), align: 'right' },
    {
      title: 'bloat',
      value: ({ bloat, bloatUnknown }) =>
        bloat === null ? `unknown: ${bloatUnknown ?? 'not measured'}` : percent(bloat.share ?? 0),
      align: 'right',
    },
  ];
}
