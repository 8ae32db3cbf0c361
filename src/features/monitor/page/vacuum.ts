import { countText, formatCount } from '../../../base/count.js';
import type { MonitoredVacuum } from '../vacuum.js';
import { deadShare, XID_LIMIT } from '../vacuum-shares.js';
import { html, type Html } from './html.js';
import type { ReportData } from './report-data.js';
import { momentText, percentText } from './words.js';

/** As autovacuum has it by default: a table with a fifth of its rows dead is due. */
const MUCH_DEAD = 0.2;

function isDoubtful(table: MonitoredVacuum): boolean {
  return (
    table.vacuumsDue > 0 ||
    table.autovacuumOff > 0 ||
    ((deadShare(table) ?? 0) >= MUCH_DEAD && (table.deadRows ?? 0) >= 10_000)
  );
}

function rowsText(count: number | null): string {
  return count === null ? '?' : formatCount(count);
}

function stateText(table: MonitoredVacuum): string {
  const { vacuumsDue, analyzesDue, freezesDue, autovacuumOff, partitionCount } = table;
  const due = (count: number, what: string): readonly string[] => {
    if (count === 0) return [];
    return [partitionCount === 0 ? `${what} due` : `${what} due in ${count} of ${partitionCount}`];
  };
  const off =
    autovacuumOff === 0 ? [] : [partitionCount === 0 ? 'autovacuum is off' : `autovacuum is off in ${autovacuumOff}`];
  return (
    [...due(vacuumsDue, freezesDue > 0 ? 'vacuum (freeze)' : 'vacuum'), ...due(analyzesDue, 'analyze'), ...off].join(
      ', ',
    ) || 'nothing due'
  );
}

function row(table: MonitoredVacuum): Html {
  const share = deadShare(table);
  const when = (at: string | null): string => (at === null ? '–' : momentText(at));
  const age = table.xidAge === null ? '–' : percentText(table.xidAge / XID_LIMIT);
  return html`<tr${isDoubtful(table) && html` class="doubtful"`}>
    <th scope="row"><code>${table.identifier}</code></th>
    <td class="total">${rowsText(table.deadRows)}</td>
    <td data-label="dead">${share === null ? '?' : percentText(share)}</td>
    <td data-label="vacuumed">${when(table.lastVacuumAt)}</td>
    <td data-label="analyzed">${when(table.lastAnalyzeAt)}</td>
    <td data-label="age of ids">${age}</td>
    <td data-label="now" class="verdict">${stateText(table)}</td>
  </tr>`;
}

/** Of each list; the most dead rows come first. */
const MOST_ROWS = 100;

function rows(tables: readonly MonitoredVacuum[]): Html {
  return html`<table class="sizes vacuum">
      <thead>
        <tr>
          <th scope="col">Table</th>
          <th scope="col">Dead rows</th>
          <th scope="col">Dead</th>
          <th scope="col">Last vacuum</th>
          <th scope="col">Last analyze</th>
          <th scope="col">Age of ids</th>
          <th scope="col" class="verdict">Due</th>
        </tr>
      </thead>
      <tbody>
        ${tables.slice(0, MOST_ROWS).map(row)}
      </tbody>
    </table>
    ${tables.length > MOST_ROWS && html`<p class="note">${countText(tables.length - MOST_ROWS, 'more table')}: aisec monitor vacuum.</p>`}`;
}

/** Tables with dead rows or something due; the others are folded away. */
export function vacuumSection({ vacuum: { tables, running, countersSince } }: ReportData): Html {
  const due = tables.reduce((sum, table) => sum + table.vacuumsDue, 0);
  const oldest = Math.max(0, ...tables.map(({ xidAge }) => xidAge ?? 0));
  const isShown = (table: MonitoredVacuum): boolean =>
    (table.deadRows ?? 1) > 0 || table.vacuumsDue > 0 || table.analyzesDue > 0 || table.autovacuumOff > 0;
  const [shown, rest] = [tables.filter(isShown), tables.filter((table) => !isShown(table))];
  return html`<section id="vacuum">
    <h2>Vacuum</h2>
    <p>
      ${due === 0 ? 'No table is due for a vacuum' : `${countText(due, 'table or partition is', 'tables or partitions are')} due for a vacuum`};
      the oldest transaction id is at ${percentText(oldest / XID_LIMIT)} of the
      limit.${countersSince !== null && ` Rows are counted since ${momentText(countersSince)}.`}
    </p>
    ${running.map(({ pid, table, phase, share }) => html`<p class="note">At work: pid ${pid} on <code>${table}</code>, ${phase}${share !== null && `, ${Math.floor(share * 100)} % of the heap`}.</p>`)}
    ${shown.length > 0 && rows(shown)}
    ${
      rest.length > 0 &&
      html`<details>
        <summary>${countText(rest.length, 'table')} without dead rows</summary>
        ${rows(rest)}
      </details>`
    }
  </section>`;
}
