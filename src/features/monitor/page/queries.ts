import { formatCount } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { MonitoredQuery } from '../queries/queries.js';
import { html, type Html } from './html.js';
import type { ReportData } from './report-data.js';
import { momentText, percentText } from './words.js';

function meanText(ms: number): string {
  return ms < 1 ? `${ms.toFixed(2)} ms` : formatDurationMs(ms);
}

function row({ query, calls, meanMs, totalMs, share, temporaryBlocks }: MonitoredQuery): Html {
  return html`<tr>
    <th scope="row" class="query"><code>${query}</code></th>
    <td class="total">${percentText(share)}</td>
    <td data-label="in all">${formatDurationMs(totalMs)}</td>
    <td data-label="each">${meanText(meanMs)}</td>
    <td data-label="calls">${formatCount(calls)}</td>
    <td data-label="temporary files">${temporaryBlocks > 0 ? 'yes' : '–'}</td>
  </tr>`;
}

/** What the server spends its time on; constants are $1, $2, so that no data is on the page. */
export function queriesSection({ queries: { queries, queriesSince } }: ReportData): Html {
  if (queries === null) return html``;
  return html`<section id="queries">
    <h2>Slow queries</h2>
    <p>
      ${queries.length === 0 ? 'No query was counted yet' : 'The queries that took the most time in all'}${queriesSince !== null && `, since ${momentText(queriesSince)}`}.
    </p>
    ${
      queries.length > 0 &&
      html`<table class="sizes queries">
        <thead>
          <tr>
            <th scope="col">Query</th>
            <th scope="col">Of all time</th>
            <th scope="col">In all</th>
            <th scope="col">Each</th>
            <th scope="col">Calls</th>
            <th scope="col">Temporary files</th>
          </tr>
        </thead>
        <tbody>
          ${queries.map(row)}
        </tbody>
      </table>`
    }
  </section>`;
}
