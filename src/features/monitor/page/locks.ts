import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { LockNode } from '../lock-tree.js';
import type { PreparedTransaction } from '../locks.js';
import { html, type Html } from './html.js';
import type { ReportData } from './report-data.js';

function waitText({ waitingMs, lock, blockedBy, blockedByPrepared }: LockNode): string {
  if (lock === null) return 'no session, and blocks others';
  const whom = [...blockedBy.map((pid) => `pid ${pid}`), ...blockedByPrepared.map((name) => `prepared "${name}"`)];
  return `${lock}${waitingMs === null ? '' : `, for ${formatDurationMs(waitingMs)}`}; behind ${whom.join(', ')}`;
}

/** Without its query: the page is handed on, and a query carries data. */
function row(session: LockNode): Html {
  const { pid, depth, role, application, state, transactionMs } = session;
  const isRoot = depth === 0;
  return html`<tr${isRoot && html` class="doubtful"`}>
    <th scope="row">${'\u00a0\u00a0'.repeat(depth)}${!isRoot && '└ '}pid ${pid}</th>
    <td class="total">${transactionMs === null ? '?' : formatDurationMs(transactionMs)}</td>
    <td data-label="role" class="word">${role ?? '?'}</td>
    <td data-label="application" class="word">${application === null || application === '' ? '–' : application}</td>
    <td data-label="state" class="word">${state ?? '?'}</td>
    <td data-label="waits for" class="verdict">${waitText(session)}</td>
  </tr>`;
}

function tree(sessions: readonly LockNode[]): Html {
  const releases = sessions.flatMap(({ release }) => (release === null ? [] : [release]));
  return html`<table class="sizes locks">
      <thead>
        <tr>
          <th scope="col">Session</th>
          <th scope="col">Transaction</th>
          <th scope="col" class="word">Role</th>
          <th scope="col" class="word">Application</th>
          <th scope="col" class="word">State</th>
          <th scope="col" class="verdict">Waits for</th>
        </tr>
      </thead>
      <tbody>
        ${sessions.map(row)}
      </tbody>
    </table>
    ${
      releases.length > 0 &&
      html`<p class="note">Statements that end the sessions at the root; decide while they are still there:</p>
        <pre><code>${releases.join('\n')}</code></pre>`
    }`;
}

function preparedNote({ name, owner, database, ageMs }: PreparedTransaction): Html {
  return html`<p class="note">
    Prepared transaction <code>${name}</code> of ${owner} in ${database} keeps its locks for ${formatDurationMs(ageMs)}:
    commit prepared or rollback prepared ends it.
  </p>`;
}

/** Who waited for whom when the page was made: a moment, and not a rule. */
export function locksSection({ locks: { sessions, waiting, preparedTransactions } }: ReportData): Html {
  const sentence =
    waiting === 0
      ? 'No session waited for a lock at that time.'
      : `${countText(waiting, 'session')} waited for a lock at that time.`;
  return html`<section id="locks">
    <h2>Locks</h2>
    <p${waiting === 0 && html` class="well"`}>${sentence}</p>
    ${sessions.length > 0 && tree(sessions)} ${preparedTransactions.map(preparedNote)}
  </section>`;
}
