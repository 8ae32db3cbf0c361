import { formatBytes } from '../../../base/bytes.js';
import { groupBy } from '../../../base/group-by.js';
import { monthRange, type Month } from '../../../base/month.js';
import type { MonitoredMonth, MonthState } from '../partitions.js';
import { html, type Html } from './html.js';
import type { ReportData } from './report-data.js';
import { byteScale, type Scale } from './scale.js';
import { estimateText, round } from './words.js';

const STATE_TEXT: Readonly<Record<MonthState, string>> = {
  archived: 'in the archive',
  closed: 'closed',
  current: 'current',
  ahead: 'ahead',
  default: 'default partition',
  missing: 'missing',
  odd: 'bounds are not a month',
  detaching: 'detach never finished',
};
const STATES = Object.keys(STATE_TEXT) as readonly MonthState[];
const PLOT_PX = 150;
const TOP_PX = 18;
/** An empty partition, and one that is missing, must be seen, too. */
const LEAST_PX = 6;

interface Column {
  readonly key: string;
  readonly label: string;
  readonly month: Month | null;
  /** Drawn from the axis upwards. */
  readonly parts: readonly MonitoredMonth[];
}

const NAMES = ['J', 'F', 'M', 'A', 'M', 'J', 'J', 'A', 'S', 'O', 'N', 'D'];

/** One a month without a hole, then what has no month. */
function columnsOf(months: readonly MonitoredMonth[]): readonly Column[] {
  const dated = groupBy(
    months.filter(({ month }) => month !== null),
    ({ month }) => month as Month,
  );
  const known = [...dated.keys()].toSorted();
  const [first, last] = [known.at(0), known.at(-1)];
  const range = first === undefined || last === undefined ? [] : monthRange(first, last);
  // A stray row dated 1970 has a month of its own, and centuries of nothing behind it.
  const shown = range.length > 3 * known.length + 12 ? known : range;
  return [
    ...shown.map((month) => ({ key: month, label: month, month, parts: dated.get(month) ?? [] })),
    ...months
      .filter(({ month }) => month === null)
      .map((part) => ({ key: part.partition ?? '', label: part.partition ?? '', month: null, parts: [part] })),
  ];
}

function heightPx(part: MonitoredMonth, { topBytes }: Scale): number {
  if (part.state === 'missing') return PLOT_PX;
  return Math.max(LEAST_PX, ((part.totalBytes ?? 0) / topBytes) * PLOT_PX);
}

function partTitle({ month, state, partition, totalBytes, rows }: MonitoredMonth): string {
  const size = totalBytes === null ? '' : `, ${formatBytes(totalBytes)}, ${estimateText(rows)} rows`;
  return `${month ?? partition ?? ''}: ${STATE_TEXT[state]}${size}`;
}

function barsOf(column: Column, x: number, width: number, scale: Scale): readonly Html[] {
  let bottom = TOP_PX + PLOT_PX;
  return column.parts.map((part) => {
    const height = heightPx(part, scale);
    bottom -= height;
    return html`<rect
      class="${part.state}${(part.heapBytes ?? 0) === 0 ? ' empty' : ''}"
      x="${round(x)}%"
      width="${round(width)}%"
      y="${round(bottom)}"
      height="${round(height)}"
      ><title>${partTitle(part)}</title></rect
    >`;
  });
}

function axisLabel(column: Column, x: number, position: number): Html {
  const middle = TOP_PX + PLOT_PX + 14;
  if (column.month === null)
    return html`<text class="tick" x="${round(x + 1.4)}%" y="${middle}" text-anchor="end"
      >${column.parts[0]?.state === 'default' ? 'default' : 'odd'}</text
    >`;
  const [year, inYear] = column.month.split('-').map(Number);
  // The year of the first month stands at its bar, unless the next one stands too near.
  const begins = inYear === 1 || (position === 0 && (inYear ?? 0) < 9);
  return html`<text class="tick minor" x="${round(x)}%" y="${middle}" text-anchor="middle"
      >${NAMES[(inYear ?? 1) - 1] ?? ''}</text
    >${
      begins &&
      html`<text class="tick year" x="${round(x)}%" y="${middle + 15}" text-anchor="middle">${year ?? ''}</text>`
    }`;
}

function chart(columns: readonly Column[], scale: Scale): Html {
  // A column of air before what has no month.
  const dated = columns.filter(({ month }) => month !== null).length;
  const slots = columns.length + (dated < columns.length ? columns.length - dated : 0);
  const step = 100 / Math.max(slots, 1);
  const placeOf = (position: number): number =>
    position < dated ? position * step : (dated + (position - dated) * 2 + 0.7) * step;
  const yOf = (bytes: number): number => round(TOP_PX + PLOT_PX - (bytes / scale.topBytes) * PLOT_PX);
  return html`<div class="scroll">
    <svg
      class="months"
      role="img"
      aria-label="Size of each month of messages; the table below has the figures"
      style="min-width:${slots * 9}px"
      height="${TOP_PX + PLOT_PX + 34}"
    >
      <defs>
        <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="6" height="6" class="hatch-ground" />
          <rect width="2.4" height="6" class="hatch-line" />
        </pattern>
      </defs>
      ${scale.ticks.map(({ bytes }) => html`<line class="grid" x1="0" x2="100%" y1="${yOf(bytes)}" y2="${yOf(bytes)}" />`)}
      ${columns.map((column, position) => [
        barsOf(column, placeOf(position) + step * 0.1, step * 0.8, scale),
        axisLabel(column, placeOf(position) + step / 2, position),
      ])}
      ${scale.ticks.map(({ bytes, label }) => html`<text class="tick grid-label" x="0" y="${yOf(bytes) - 3}">${label}</text>`)}
      <line class="axis" x1="0" x2="100%" y1="${TOP_PX + PLOT_PX}" y2="${TOP_PX + PLOT_PX}" />
    </svg>
  </div>`;
}

function monthTable(months: readonly MonitoredMonth[]): Html {
  return html`<details>
    <summary>The months as a table</summary>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Month</th>
            <th scope="col">State</th>
            <th scope="col">Partition</th>
            <th scope="col" class="number">Rows</th>
            <th scope="col" class="number">Size</th>
          </tr>
        </thead>
        <tbody>
          ${months.map(
            ({ month, state, partition, rows, totalBytes }) =>
              html`<tr>
                <th scope="row">${month ?? '–'}</th>
                <td>${STATE_TEXT[state]}</td>
                <td><code>${partition ?? '–'}</code></td>
                <td class="number">${totalBytes === null ? '–' : estimateText(rows)}</td>
                <td class="number">${totalBytes === null ? '–' : formatBytes(totalBytes)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
}

function sentence({ partitions }: ReportData): string {
  const { months, monthsAhead, currentMonth } = partitions;
  const count = (state: MonthState): number => months.filter((month) => month.state === state).length;
  const ahead =
    monthsAhead < 0 ? `the current month ${currentMonth} has no partition` : `${monthsAhead} months ahead are there`;
  const missing = count('missing') === 0 ? '' : `, ${count('missing')} missing`;
  return `${count('archived')} months in the archive, ${count('closed')} closed${missing}; ${ahead}.`;
}

/** The months of messages in their order, each as high as it is large, in the colour of its state. */
export function monthsSection(data: ReportData): Html {
  const { months } = data.partitions;
  const columns = columnsOf(months);
  const totals = columns.map(({ parts }) => parts.reduce((sum, { totalBytes }) => sum + (totalBytes ?? 0), 0));
  const states = STATES.filter((state) => months.some((month) => month.state === state));
  return html`<section id="months">
    <h2>Months of messages</h2>
    <p>${sentence(data)}</p>
    <p class="legend">${states.map((state) => html`<span><i class="${state}"></i>${STATE_TEXT[state]}</span>`)}</p>
    ${chart(columns, byteScale(Math.max(...totals, 0)))} ${monthTable(months)}
  </section>`;
}
