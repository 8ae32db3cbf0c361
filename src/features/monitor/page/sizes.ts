import { countText } from '../../../base/count.js';
import { formatBytes } from '../../../base/bytes.js';
import type { TableGrowth } from '../growth/table-growth.js';
import type { MonitoredTable } from '../tables.js';
import { html, type Html } from './html.js';
import type { ReportData } from './report-data.js';
import { estimateText, percentText, round } from './words.js';

interface Slice {
  readonly kind: 'heap' | 'toast' | 'index';
  readonly title: string;
  readonly bytes: number;
}

const KINDS = [
  ['heap', 'heap (rows)'],
  ['toast', 'long values (TOAST)'],
  ['index', 'indexes'],
] as const;

/** Further ones are summed up: a page of two thousand rows opens slowly, and the rest is small. */
const MOST_ROWS = 100;
/** A phone shows their total only. */
const SMALL_SHARE = 0.01;

function slicesOf({ heapBytes, mapBytes, toastBytes, indexBytes }: MonitoredTable): readonly Slice[] {
  const bytes = { heap: heapBytes + mapBytes, toast: toastBytes, index: indexBytes };
  return KINDS.map(([kind, title]) => ({ kind, title, bytes: bytes[kind] }));
}

function bar(table: MonitoredTable, mostBytes: number): Html {
  const width = (bytes: number): number => (mostBytes === 0 ? 0 : (bytes / mostBytes) * 100);
  let left = 0;
  const rects = slicesOf(table).map(({ kind, title, bytes }) => {
    const x = left;
    left += width(bytes);
    return html`<rect class="${kind}" x="${round(x)}%" width="${round(width(bytes))}%" height="100%"
      ><title>${title}: ${formatBytes(bytes)}</title></rect
    >`;
  });
  return html`<svg
    class="bar"
    role="img"
    aria-label="${slicesOf(table)
      .map(({ title, bytes }) => `${title} ${formatBytes(bytes)}`)
      .join(', ')}"
  >
    ${rects}
  </svg>`;
}

function change(growth: TableGrowth | undefined): Html {
  if (growth === undefined) return html`<span class="none">–</span>`;
  if (growth.grownBytes === 0) return html`<span class="none">0</span>`;
  const sign = growth.grownBytes < 0 ? '−' : '+';
  return html`${sign}${formatBytes(Math.abs(growth.grownBytes))}`;
}

function row(table: MonitoredTable, mostBytes: number, growth: TableGrowth | undefined): Html {
  const parts = table.isPartitioned ? html` <small>${table.partitions.length} partitions</small>` : null;
  const about = table.isEstimated ? '~' : '';
  const isSmall = (table.share ?? 0) < SMALL_SHARE;
  const cell = (label: string, value: string | Html): Html => html`<td data-label="${label}">${value}</td>`;
  return html`<tr${isSmall && html` class="small"`}>
    <th scope="row"><code>${table.identifier}</code>${parts}</th>
    <td class="chart">${bar(table, mostBytes)}</td>
    <td class="total">${about}${formatBytes(table.totalBytes)}</td>
    ${cell('share', table.share === null ? '–' : percentText(table.share))}
    ${cell('heap', formatBytes(table.heapBytes + table.mapBytes))} ${cell('TOAST', formatBytes(table.toastBytes))}
    ${cell('indexes', formatBytes(table.indexBytes))} ${cell('rows', estimateText(table.rows))}
    ${cell('grown', change(growth))}
  </tr>`;
}

/** One row a logical table, largest first: heap, TOAST and indexes as a stacked bar, and the figures beside it. */
export function sizesSection({ tables: report, growth }: ReportData): Html {
  const { tables, totalBytes } = report;
  const mostBytes = Math.max(...tables.map((table) => table.totalBytes), 0);
  const since = growth.tables.at(0)?.since.slice(0, 10);
  const rest = tables.slice(MOST_ROWS);
  const locked = tables.filter(({ isEstimated }) => isEstimated);
  return html`<section id="sizes">
    <h2>Sizes</h2>
    <p>
      ${tables.length} tables, ${formatBytes(totalBytes)}; partitions are counted with their
      table.${since === undefined ? null : html` Grown: since ${since}, by the records.`}
    </p>
    <p class="legend">${KINDS.map(([kind, title]) => html`<span><i class="${kind}"></i>${title}</span>`)}</p>
    <table class="sizes">
      <thead>
        <tr>
          <th scope="col">Table</th>
          <th scope="col" class="chart"><span class="hidden">Bar</span></th>
          <th scope="col">Total</th>
          <th scope="col">Share</th>
          <th scope="col">Heap</th>
          <th scope="col">TOAST</th>
          <th scope="col">Indexes</th>
          <th scope="col">Rows</th>
          <th scope="col">Grown</th>
        </tr>
      </thead>
      <tbody>
        ${tables.slice(0, MOST_ROWS).map((table) =>
          row(
            table,
            mostBytes,
            growth.tables.find((known) => known.table === table.table),
          ),
        )}
      </tbody>
    </table>
    ${rest.length > 0 && html`<p class="note">${countText(rest.length, 'smaller table')} more, ${formatBytes(rest.reduce((sum, table) => sum + table.totalBytes, 0))} in all: aisec monitor tables.</p>`}
    ${locked.length > 0 && html`<p class="note">~ estimated: a session has the table locked (${locked.map(({ identifier, lockedBy }) => `${identifier} by pid ${lockedBy ?? '?'}`).join(', ')}).</p>`}
  </section>`;
}
