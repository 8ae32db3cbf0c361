import { formatBytes } from '../../../base/bytes.js';
import { formatCount } from '../../../base/count.js';
import { html, type Html } from './html.js';
import type { PageIndex, ReportData } from './report-data.js';
import { momentText, round } from './words.js';

function row(index: PageIndex, mostBytes: number): Html {
  const width = mostBytes === 0 ? 0 : (index.sizeBytes / mostBytes) * 100;
  return html`<tr${index.isDoubtful && html` class="doubtful"`}>
<th scope="row"><code>${index.name}</code> <small>on ${index.table}</small></th>
<td class="chart"><svg class="bar" role="img" aria-label="${formatBytes(index.sizeBytes)}"><rect class="index" width="${round(width)}%" height="100%"/></svg></td>
<td class="total">${formatBytes(index.sizeBytes)}</td>
<td data-label="scans">${formatCount(index.scans)}</td>
<td data-label="last used">${index.lastUsed === null ? '–' : momentText(index.lastUsed)}</td>
<td data-label="verdict" class="verdict">${index.verdict}</td>
</tr>`;
}

/** Those that a reader looks for are shown, the others folded away. */
const SMALL_SHARE = 0.01;

function table(indexes: readonly PageIndex[], mostBytes: number): Html {
  return html`<table class="sizes indexes">
    <thead>
      <tr>
        <th scope="col">Index</th>
        <th scope="col" class="chart"><span class="hidden">Bar</span></th>
        <th scope="col">Size</th>
        <th scope="col">Scans</th>
        <th scope="col">Last used</th>
        <th scope="col" class="verdict">Verdict</th>
      </tr>
    </thead>
    <tbody>
      ${indexes.map((index) => row(index, mostBytes))}
    </tbody>
  </table>`;
}

/** Every index, largest first, with what it is used for. */
export function indexesSection({ indexes, tables }: ReportData): Html {
  if (indexes.length === 0) return html``;
  const mostBytes = Math.max(...indexes.map(({ sizeBytes }) => sizeBytes));
  const total = indexes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const isShown = ({ sizeBytes, isDoubtful }: PageIndex): boolean => isDoubtful || sizeBytes >= total * SMALL_SHARE;
  const rest = indexes.filter((index) => !isShown(index));
  const since = tables.countersSince === null ? 'an unknown time' : momentText(tables.countersSince);
  return html`<section id="indexes">
    <h2>Indexes</h2>
    <p>
      ${indexes.length} indexes, ${formatBytes(total)}; those of partitions are counted with their table's. Scans are
      counted since ${since}.
    </p>
    ${table(indexes.filter(isShown), mostBytes)}
    ${
      rest.length > 0 &&
      html`<details>
        <summary>${rest.length} small ones</summary>
        ${table(rest, mostBytes)}
      </details>`
    }
  </section>`;
}
