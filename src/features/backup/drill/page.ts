import { formatBytes } from '../../../base/bytes.js';
import { countText, formatCount } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { html, htmlDocument, momentText, percentText, type Html } from '../../monitor/index.js';
import type { Drill } from './records.js';

/** What the page shows of those before. */
const EARLIER = 24;

function tile(title: string, value: string, note: string, state: 'good' | 'bad' | ''): Html {
  return html`<span class="tile ${state}"><b>${title}</b><strong>${value}</strong><small>${note}</small></span>`;
}

function tiles(drill: Drill): Html {
  const { isPassed, verdict, recoveryTimeMs, recoveryPointAgeMs, recoveryPointAt, checks, databaseSizeBytes } = drill;
  const failed = checks.filter((check) => check.verdict === 'failed').length;
  const checked = failed === 0 ? 'all passed' : `${failed} failed`;
  return html`<nav class="tiles">
    ${tile('Result', isPassed ? 'passed' : 'failed', `backup: ${verdict}`, isPassed ? 'good' : 'bad')}
    ${tile('Recovery time', recoveryTimeMs === null ? 'none' : formatDurationMs(recoveryTimeMs), `${formatBytes(databaseSizeBytes)}, ${countText(drill.rows, 'row')}`, '')}
    ${tile('Recovery point', `${formatDurationMs(recoveryPointAgeMs)} old`, momentText(recoveryPointAt), '')}
    ${tile('Own checks', checks.length === 0 ? 'none' : String(checks.length), checks.length === 0 ? '' : checked, failed === 0 ? '' : 'bad')}
  </nav>`;
}

function phasesTable({ phases }: Drill): Html {
  const total = phases.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return html`<h3>Where the time went</h3>
    <table>
      <thead>
        <tr>
          <th>phase</th>
          <th class="number">time</th>
          <th class="number">share</th>
        </tr>
      </thead>
      <tbody>
        ${phases.map(
          ({ phase, durationMs }) =>
            html`<tr>
              <th>${phase}</th>
              <td class="number">${formatDurationMs(durationMs)}</td>
              <td class="number">${percentText(total === 0 ? 0 : durationMs / total)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function checksTable({ checks }: Drill): Html | null {
  if (checks.length === 0) return null;
  return html`<h3>Own checks</h3>
    <table>
      <thead>
        <tr>
          <th>check</th>
          <th>verdict</th>
          <th class="number">time</th>
        </tr>
      </thead>
      <tbody>
        ${checks.map(
          ({ name, verdict, reason, durationMs }) =>
            html`<tr class="${verdict === 'passed' ? '' : 'doubtful'}">
              <th>${name}</th>
              <td class="verdict">${verdict}${reason !== null && `: ${reason}`}</td>
              <td class="number">${formatDurationMs(durationMs)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function section(drill: Drill): Html {
  const { database, file, startedAt, durationMs, host, role, tables, rows, reason, aisecVersion } = drill;
  return html`<section>
    <h2>${database}</h2>
    <p class="meta">
      ${momentText(startedAt)} · ${formatDurationMs(durationMs)} · ${file} · restored on ${host} as ${role} · aisec
      ${aisecVersion}
    </p>
    ${tiles(drill)}
    ${
      reason === null
        ? html`<p class="well">
            ${countText(tables, 'table')} with ${countText(rows, 'row')} and the catalog are as they were backed up.
          </p>`
        : html`<article class="finding critical"><p>${reason}</p></article>`
    }
    ${phasesTable(drill)} ${checksTable(drill)}
  </section>`;
}

function history(drills: readonly Drill[]): Html {
  return html`<section>
    <h2>Drills so far</h2>
    <table>
      <thead>
        <tr>
          <th>when</th>
          <th>database</th>
          <th>result</th>
          <th class="number">recovery time</th>
          <th class="number">recovery point</th>
          <th class="number">size</th>
          <th class="number">rows</th>
        </tr>
      </thead>
      <tbody>
        ${drills.map(
          (each) =>
            html`<tr class="${each.isPassed ? '' : 'doubtful'}">
              <th>${momentText(each.startedAt)}</th>
              <td>${each.database}</td>
              <td class="verdict">${each.isPassed ? 'passed' : 'failed'}</td>
              <td class="number">${each.recoveryTimeMs === null ? '' : formatDurationMs(each.recoveryTimeMs)}</td>
              <td class="number">${formatDurationMs(each.recoveryPointAgeMs)} old</td>
              <td class="number">${formatBytes(each.databaseSizeBytes)}</td>
              <td class="number">${formatCount(each.rows)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

/** The drills of a run, and those that are recorded, as one HTML document. */
export function renderDrillPage(drills: readonly Drill[], recorded: readonly Drill[]): string {
  const passed = drills.filter(({ isPassed }) => isPassed).length;
  const day = drills[0]?.startedAt.slice(0, 10) ?? '';
  return htmlDocument(
    `Recovery drill of ${day}`,
    html`<header>
        <h1>Recovery drill</h1>
        <p class="meta">${passed} of ${drills.length} passed</p>
      </header>
      ${drills.map(section)} ${history(recorded.slice(-EARLIER).toReversed())}`,
  );
}
