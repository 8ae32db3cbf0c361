import { formatBytes } from '../../../base/bytes.js';
import { htmlDocument } from './document.js';
import { findingsSection, skippedSection } from './findings.js';
import { growthSection } from './growth.js';
import { html, type Html } from './html.js';
import { indexesSection } from './indexes.js';
import { locksSection } from './locks.js';
import { monthsSection } from './months.js';
import { queriesSection } from './queries.js';
import type { ReportData } from './report-data.js';
import { serverSection } from './server.js';
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

export function pageTitle(data: ReportData): string {
  return `${data.databaseName}: database report of ${data.tables.takenAt.slice(0, 10)}`;
}

/** What to do first, then what there is to know. */
export function pageBody(data: ReportData): Html {
  return html`${header(data)} ${tilesSection(data)} ${findingsSection(data)} ${locksSection(data)}
  ${serverSection(data)} ${queriesSection(data)} ${vacuumSection(data)} ${sizesSection(data)} ${monthsSection(data)}
  ${growthSection(data)} ${indexesSection(data)} ${skippedSection(data)}`;
}

/** The whole report as one HTML document. */
export function renderPage(data: ReportData): string {
  return htmlDocument(pageTitle(data), pageBody(data));
}
