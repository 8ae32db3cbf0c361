import { formatBytes } from '../../../base/bytes.js';
import { htmlDocument } from './document.js';
import { findingsSection, skippedSection } from './findings.js';
import { growthSection } from './growth.js';
import { html, type Html } from './html.js';
import { indexesSection } from './indexes.js';
import { locksSection } from './locks.js';
import { monthsSection } from './months.js';
import type { ReportData } from './report-data.js';
import { sizesSection } from './sizes.js';
import { tilesSection } from './tiles.js';
import { vacuumSection } from './vacuum.js';
import { momentText } from './words.js';

function header({ databaseName, tables, growth, serverVersion, toolVersion }: ReportData): Html {
  return html`<header>
    <h1>${databaseName}</h1>
    <p class="meta">
      ${momentText(tables.takenAt)} · schema ${tables.schema} · ${formatBytes(growth.databaseBytes)} · PostgreSQL
      ${serverVersion}${tables.isInRecovery && ' (standby)'} · as ${tables.role} · aisec ${toolVersion}
    </p>
  </header>`;
}

/** The whole report as one HTML document. */
export function renderPage(data: ReportData): string {
  return htmlDocument(
    `${data.databaseName}: database report of ${data.tables.takenAt.slice(0, 10)}`,
    html`${header(data)} ${tilesSection(data)} ${findingsSection(data)} ${sizesSection(data)} ${monthsSection(data)}
    ${growthSection(data)} ${indexesSection(data)} ${vacuumSection(data)} ${locksSection(data)} ${skippedSection(data)}`,
  );
}
