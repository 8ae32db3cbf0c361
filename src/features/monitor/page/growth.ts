import { formatBytes } from '../../../base/bytes.js';
import { formatMonths } from '../../../base/month.js';
import type { Forecast } from '../growth/forecast.js';
import type { GrowthReport } from '../growth/growth.js';
import { limitSentence, methodSentences } from '../growth/sentences.js';
import { growthChart } from './growth-chart.js';
import { html, type Html } from './html.js';
import type { ReportData } from './report-data.js';
import { rangeText } from './words.js';

function legend({ records, limit }: GrowthReport): Html {
  return html`<p class="legend">
    <span><i class="messages"></i>messages, archive and keys</span
    ><span><i class="others"></i>everything else, as large as today</span
    ><span><i class="band"></i>forecast and its range</span
    >${records.length > 0 && html`<span><i class="record"></i>recorded</span>`}${limit !== null && html`<span><i class="limit"></i>limit</span>`}
  </p>`;
}

function forecastTable({ points }: Forecast): Html {
  return html`<details>
    <summary>The forecast as a table</summary>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Month</th>
            <th scope="col" class="number">Messages add</th>
            <th scope="col" class="number">Database at its end</th>
            <th scope="col" class="number">at least</th>
            <th scope="col" class="number">at most</th>
          </tr>
        </thead>
        <tbody>
          ${points.map(
            ({ month, messagesBytes, databaseBytes }, position) =>
              html`<tr>
                <th scope="row">${month}${position === 0 && html` <small>what is left of it</small>`}</th>
                <td class="number">${formatBytes(messagesBytes.expected)}</td>
                <td class="number">${formatBytes(databaseBytes.expected)}</td>
                <td class="number">${formatBytes(databaseBytes.low)}</td>
                <td class="number">${formatBytes(databaseBytes.high)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
}

function pace(report: GrowthReport): Html {
  const { forecast, limit } = report;
  if (forecast === null) return html``;
  const last = forecast.points.at(-1);
  return html`<p>
    Messages add <strong>${rangeText(forecast.monthlyBytes)}</strong> a month.
    ${
      last !== undefined &&
      html`At the end of ${last.month} the database will have about <strong>${rangeText(last.databaseBytes)}</strong>.`
    }
    ${limit !== null && html`<strong>${limitSentence(report)}</strong>`}
  </p>`;
}

/** How the database has grown and where it goes, with the method and how far it can be trusted. */
export function growthSection({ growth: report }: ReportData): Html {
  const { forecast, months, skipped } = report;
  const reason = skipped.find(({ object }) => object === 'forecast')?.message;
  if (forecast === null)
    return html`<section id="growth">
      <h2>Growth</h2>
      <p>No forecast: ${reason ?? 'nothing is known yet'}.</p>
    </section>`;
  const [first, last] = [months.at(0), months.at(-1)];
  return html`<section id="growth">
    <h2>Growth</h2>
    ${pace(report)} ${legend(report)} ${growthChart(report)}
    <ul class="method">
      ${methodSentences(report).map((sentence) => html`<li>${sentence}</li>`)}${
        first !== undefined &&
        last !== undefined &&
        html`<li>
          The past is drawn from the months that are there now (${formatMonths(first.month, last.month)}): what was
          deleted or pruned is not in it.
        </li>`
      }
    </ul>
    ${forecastTable(forecast)}
  </section>`;
}
