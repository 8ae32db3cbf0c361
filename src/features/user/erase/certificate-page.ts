import path from 'node:path';

import { writeNamed } from '../../../adapters/files/write-named.js';
import { countText } from '../../../base/count.js';
import { html, htmlDocument, momentText } from '../../monitor/index.js';
import type { ErasureCertificate, Holder } from './certificate.js';

const OWNER_ONLY = 0o600;

function holderText({ kind, place, month, until, fix }: Holder): string {
  const what = kind === 'backup' ? 'Backup' : `Export of ${month ?? ''}`;
  const end = until === null ? 'nothing says when it is deleted' : `deleted by ${until.slice(0, 10)}`;
  return `${what} ${place}: ${end}${fix === null ? '' : `; ${fix}`}`;
}

/** The certificate for people: what was there, what is left, and who still holds something. */
function certificatePage(certificate: ErasureCertificate): string {
  const { user, database, erasedAt, startedAt, finishedAt, tables, hits, holders, caches, columnsScanned } =
    certificate;
  const rows = tables.reduce((sum, { before }) => sum + before, 0);
  return htmlDocument(
    'Certificate of erasure',
    html`<h1>Certificate of erasure</h1>
      <p class="meta">
        User ${user}, database ${database}. Begun ${momentText(startedAt)}, erased ${momentText(erasedAt)}, verified
        ${momentText(finishedAt)}.
      </p>
      <h2>What was stored, and what is left</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col" class="number">Rows before</th>
            <th scope="col" class="number">Rows after</th>
            <th scope="col">How</th>
          </tr>
        </thead>
        <tbody>
          ${tables.map(
            ({ table, before, after, action }) =>
              html`<tr>
                <th scope="row">${table}</th>
                <td class="number">${before}</td>
                <td class="number">${after}</td>
                <td>${action === 'delete' ? 'deleted' : 'kept without the person'}</td>
              </tr>`,
          )}
        </tbody>
      </table>
      <p>${countText(rows, 'row')} in all. Months with messages: ${certificate.months.join(', ') || 'none'}.</p>
      <h2>Search for what is left</h2>
      <p>
        ${countText(columnsScanned, 'column')} were searched for the id, the username and the e-mail address:
        ${hits.length === 0 ? 'nothing was found.' : countText(hits.length, 'column has hits', 'columns have hits')}
      </p>
      <ul>
        ${hits.map(({ table, column, rows: count }) => html`<li>${table}.${column}: ${countText(count, 'row')}</li>`)}
      </ul>
      <h2>Caches</h2>
      <p>
        ${caches.redis === null ? 'No Redis is configured.' : `${caches.redis}: ${countText(caches.keys, 'key')} removed.`}
        Services were notified and have forgotten the rows that they kept.
      </p>
      <h2>Files that still hold data</h2>
      ${
        certificate.backupDirectory === null
          ? html`<p>No directory of backups was looked at: those of before the erasure are not named here.</p>`
          : html`<p>Backups were looked for in ${certificate.backupDirectory}.</p>`
      }
      ${
        holders.length === 0
          ? html`<p>None is known.</p>`
          : html`<ul>
              ${holders.map((holder) => html`<li>${holderText(holder)}</li>`)}
            </ul>`
      }
      <p>Files of the command &quot;aisec user export&quot; and uploads outside of the database are not on record.</p>
      <p class="method">
        The command &quot;aisec restore&quot; erases the person again when a backup of an earlier day is restored. The
        erasure is on record without personal data (${certificate.subjectHash.slice(0, 16)}…). Made by aisec
        ${certificate.toolVersion}.
      </p>`,
  );
}

/** Writes the certificate for programs and for people, under a name without personal data. Returns the files. */
export function writeCertificateFiles(certificate: ErasureCertificate, directory: string): readonly string[] {
  const base = path.join(directory, `erasure-${certificate.subjectHash.slice(0, 12)}`);
  writeNamed(`${base}.json`, `${JSON.stringify(certificate, null, 2)}\n`, { mode: OWNER_ONLY });
  writeNamed(`${base}.html`, certificatePage(certificate), { mode: OWNER_ONLY });
  return [`${base}.json`, `${base}.html`];
}
