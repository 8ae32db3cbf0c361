import { formatBytes } from '../../../base/bytes.js';
import { findingsSection, skippedSection } from './findings.js';
import { growthSection } from './growth.js';
import { html, Html } from './html.js';
import { indexesSection } from './indexes.js';
import { locksSection } from './locks.js';
import { monthsSection } from './months.js';
import type { ReportData } from './report-data.js';
import { sizesSection } from './sizes.js';
import { STYLE } from './style.js';
import { tilesSection } from './tiles.js';
import { vacuumSection } from './vacuum.js';
import { momentText } from './words.js';

/** Nothing of the page is ever fetched or run, whatever a name in the database may be. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

function header({ databaseName, tables, growth, serverVersion, toolVersion }: ReportData): Html {
  return html`<header>
    <h1>${databaseName}</h1>
    <p class="meta">
      ${momentText(tables.takenAt)} · schema ${tables.schema} · ${formatBytes(growth.databaseBytes)} · PostgreSQL
      ${serverVersion}${tables.isInRecovery && ' (standby)'} · as ${tables.role} · aisec ${toolVersion}
    </p>
  </header>`;
}

/** The whole report as one HTML document that needs no network, no font and no script. */
export function renderPage(data: ReportData): string {
  const style = new Html(`<style>${STYLE}</style>`);
  return html`${new Html('<!doctype html>')}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${data.databaseName}: database report of ${data.tables.takenAt.slice(0, 10)}</title>
        ${style}
      </head>
      <body>
        <main>
          ${header(data)} ${tilesSection(data)} ${findingsSection(data)} ${sizesSection(data)} ${monthsSection(data)}
          ${growthSection(data)} ${indexesSection(data)} ${vacuumSection(data)} ${locksSection(data)}
          ${skippedSection(data)}
        </main>
      </body>
    </html> `.text;
}
