import { countText } from '../../../base/count.js';
import { formatBytes } from '../../../base/bytes.js';
import { html, type Html } from './html.js';
import type { ReportData } from './report-data.js';
import { estimateText } from './words.js';

interface Tile {
  readonly title: string;
  readonly value: string;
  readonly note: string;
  readonly state?: 'good' | 'bad' | 'doubtful';
  readonly link: string;
}

function findingsTile({ findings, skipped }: ReportData): Tile {
  const count = (severity: string): number => findings.filter((finding) => finding.severity === severity).length;
  const [critical, warning, notice] = [count('critical'), count('warning'), count('notice')];
  const parts = [
    ...(critical > 0 ? [`${critical} critical`] : []),
    ...(warning > 0 ? [`${countText(warning, 'warning')}`] : []),
    ...(notice > 0 ? [`${countText(notice, 'notice')}`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} not looked at`] : []),
  ];
  const state = critical > 0 ? 'bad' : 'doubtful';
  return {
    title: 'Findings',
    value: String(findings.length),
    note: parts.length === 0 ? 'every check could look' : parts.join(', '),
    state: critical + warning === 0 ? 'good' : state,
    link: '#findings',
  };
}

function monthsTile({ partitions: { months, monthsAhead } }: ReportData): Tile {
  const missing = months.filter(({ state }) => state === 'missing').length;
  const low = monthsAhead < 1 ? 'bad' : 'doubtful';
  return {
    title: 'Months ahead',
    value: monthsAhead < 0 ? 'none' : String(monthsAhead),
    note: missing === 0 ? 'no month is missing' : `${missing} missing between others`,
    state: monthsAhead >= 2 && missing === 0 ? 'good' : low,
    link: '#months',
  };
}

function defaultTile({ partitions }: ReportData): Tile {
  const parts = partitions.months.filter(({ state }) => state === 'default');
  const isEmpty = parts.every(({ heapBytes }) => heapBytes === 0);
  const rows = parts.map((part) => part.rows).filter((count) => count !== null);
  const estimate = rows.length === 0 ? null : rows.reduce((sum, count) => sum + count, 0);
  const none = isEmpty || estimate === 0;
  return {
    title: 'Default partition',
    value: none ? 'empty' : estimateText(estimate),
    note: none ? 'every message has its month' : 'messages that no month covers',
    state: none ? 'good' : 'doubtful',
    link: '#months',
  };
}

function growthTile({ growth: { forecast, limit } }: ReportData): Tile {
  if (forecast === null) return { title: 'A month adds', value: '?', note: 'not enough data', link: '#growth' };
  const { low, expected, high } = forecast.monthlyBytes;
  const range = `${formatBytes(low)} to ${formatBytes(high)}`;
  return {
    title: 'A month adds',
    value: formatBytes(expected),
    note: limit?.expected ? `${range}; limit about ${limit.expected.month}` : range,
    link: '#growth',
  };
}

function tilesOf(data: ReportData): readonly Tile[] {
  const { growth, tables } = data;
  const [largest] = tables.tables;
  const since = tables.countersSince;
  return [
    findingsTile(data),
    {
      title: 'Database',
      value: formatBytes(growth.databaseBytes),
      note: largest === undefined ? '' : `largest table: ${largest.identifier}, ${formatBytes(largest.totalBytes)}`,
      link: '#sizes',
    },
    growthTile(data),
    monthsTile(data),
    defaultTile(data),
    {
      title: 'Counters since',
      value: since === null ? '?' : since.slice(0, 10),
      note:
        since === null
          ? 'not reported by the server'
          : `${since.slice(11, 16)} UTC, ${tables.countersSinceEvent === 'reset' ? 'reset by hand' : 'start or recovery of the server'}`,
      link: data.indexes === null ? '#sizes' : '#indexes',
    },
  ];
}

/** What there is to know at a glance. */
export function tilesSection(data: ReportData): Html {
  return html`<nav class="tiles">
    ${tilesOf(data).map(
      ({ title, value, note, state, link }) =>
        html`<a class="tile ${state ?? ''}" href="${link}"
          ><b>${title}</b><strong>${value}</strong><small>${note}</small></a
        >`,
    )}
  </nav>`;
}
