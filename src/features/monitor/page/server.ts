import { formatBytes } from '../../../base/bytes.js';
import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { groupBy } from '../../../base/group-by.js';
import { html, type Html } from './html.js';
import type { ReplicaRow } from '../live/replicas.js';
import type { ReportData } from './report-data.js';

function replicaRow({ name, state, behindBytes, behindMs, isSynchronous }: ReplicaRow): Html {
  return html`<tr>
    <th scope="row">${name}</th>
    <td class="total">${behindBytes === null ? '?' : formatBytes(behindBytes)}</td>
    <td data-label="time behind">${behindMs === null ? '–' : formatDurationMs(behindMs)}</td>
    <td data-label="state">${state ?? '?'}</td>
    <td data-label="commits wait for it">${isSynchronous === true ? 'yes' : 'no'}</td>
  </tr>`;
}

function replication({ server: { replicas }, tables }: ReportData): Html {
  if (replicas === null) return html``;
  if (replicas.length === 0) return tables.isInRecovery ? html`` : html`<p>No standby or subscriber is connected.</p>`;
  return html`<table class="sizes replicas">
    <thead>
      <tr>
        <th scope="col">Standby or subscriber</th>
        <th scope="col">WAL behind</th>
        <th scope="col">Time behind</th>
        <th scope="col">State</th>
        <th scope="col">Commits wait</th>
      </tr>
    </thead>
    <tbody>
      ${replicas.map(replicaRow)}
    </tbody>
  </table>`;
}

/** What sessions waited for: locks are a section of their own. */
function waits({ activity: { sessions } }: ReportData): string {
  const waiting = sessions.flatMap(({ state, wait }) => (state === 'active' && wait !== null ? [wait] : []));
  if (waiting.length === 0) return 'No running query waited for anything.';
  const counts = [...groupBy(waiting, (wait) => wait)].map(([wait, all]) => [wait, all.length] as const);
  const listed = counts.toSorted(([, one], [, other]) => other - one).map(([wait, count]) => `${count} for ${wait}`);
  return `Running queries that waited: ${listed.join(', ')}.`;
}

/** Sessions, waits, replicas and versions. */
export function serverSection(data: ReportData): Html {
  const { total, usable, active, idleInTransaction } = data.activity.connections;
  const { extensions } = data.server;
  return html`<section id="server">
    <h2>Server</h2>
    <p>
      ${countText(total, 'connection')} of ${usable} in use: ${active} active, ${idleInTransaction} idle in a
      transaction. ${waits(data)}
    </p>
    ${replication(data)}
    <p class="note">
      PostgreSQL
      ${data.serverVersion}${extensions.map(({ name, installed, available }) => `, ${name} ${installed}${available === null || available === installed ? '' : ` (its package has ${available})`}`)}.
    </p>
  </section>`;
}
