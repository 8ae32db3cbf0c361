import { formatBytes } from '../../../base/bytes.js';
import { monthEndMs, monthStartMs } from '../../../base/month.js';
import type { GrowthReport } from '../growth/growth.js';
import { html, type Html } from './html.js';
import { byteScale } from './scale.js';
import { round } from './words.js';

const HEIGHT_PX = 220;
const TOP_PX = 18;
const AXIS_PX = 20;
const PLOT_PX = HEIGHT_PX - TOP_PX - AXIS_PX;
/** A limit farther up would press everything else flat. */
const LIMIT_SHOWN_UP_TO = 2;

interface Point {
  readonly atMs: number;
  readonly bytes: number;
}

/**
 * What the database has had at the end of each month, if everything but these months has always been as large as today:
 * the rest of messages, too, such as months before a missing one.
 */
function pastOf({ months, databaseBytes, takenAt }: GrowthReport): readonly Point[] {
  const [first] = months;
  if (first === undefined) return [];
  const startBytes = Math.max(0, databaseBytes - months.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  let bytes = startBytes;
  const ends = months
    .filter(({ state }) => state === 'closed')
    .map(({ month, sizeBytes }) => {
      bytes += sizeBytes;
      return { atMs: monthEndMs(month), bytes };
    });
  return [
    { atMs: monthStartMs(first.month), bytes: startBytes },
    ...ends,
    { atMs: Date.parse(takenAt), bytes: databaseBytes },
  ];
}

/** The size of the database over time: months that are there, the forecast with its range, records, and the limit. */
export function growthChart(report: GrowthReport): Html {
  const { forecast, othersBytes, databaseBytes, takenAt, limit, records } = report;
  const past = pastOf(report);
  const [first] = past;
  const last = forecast?.points.at(-1);
  if (first === undefined || forecast === null || last === undefined) return html``;
  const nowMs = Date.parse(takenAt);
  const endMs = monthEndMs(last.month);
  const most = Math.max(last.databaseBytes.high, ...records.map((record) => record.databaseBytes));
  const isLimitShown = limit !== null && limit.limitBytes <= most * LIMIT_SHOWN_UP_TO;
  const scale = byteScale(isLimitShown ? Math.max(most, limit.limitBytes * 1.03) : most);
  const x = (atMs: number): number => ((atMs - first.atMs) / (endMs - first.atMs)) * 100;
  const y = (bytes: number): number => 100 - (bytes / scale.topBytes) * 100;
  const yPx = (bytes: number): number => TOP_PX + (y(bytes) / 100) * PLOT_PX;
  const path = (points: readonly Point[]): string =>
    points.map(({ atMs, bytes }) => `${round(x(atMs))},${round(y(bytes))}`).join(' ');
  const now: Point = { atMs: nowMs, bytes: databaseBytes };
  const side = (name: 'low' | 'expected' | 'high'): readonly Point[] => [
    now,
    ...forecast.points.map(({ month, databaseBytes: sizes }) => ({ atMs: monthEndMs(month), bytes: sizes[name] })),
  ];
  const ground = (from: number, to: number, bytes: number): string =>
    path([
      { atMs: from, bytes: 0 },
      { atMs: from, bytes },
      { atMs: to, bytes },
      { atMs: to, bytes: 0 },
    ]);
  const body = path([...past, { atMs: nowMs, bytes: othersBytes }, { atMs: first.atMs, bytes: othersBytes }]);
  const years: Html[] = [];
  for (let year = new Date(first.atMs).getUTCFullYear() + 1; Date.UTC(year, 0, 1) < endMs; year += 1) {
    const at = round(x(Date.UTC(year, 0, 1)));
    years.push(
      html`<line class="tick-mark" x1="${at}%" x2="${at}%" y1="${TOP_PX + PLOT_PX}" y2="${TOP_PX + PLOT_PX + 5}" /><text
          class="tick"
          x="${at}%"
          y="${HEIGHT_PX - 4}"
          text-anchor="middle"
          >${year}</text
        >`,
    );
  }
  const { low, expected, high } = last.databaseBytes;
  return html`<svg
    class="growth"
    role="img"
    aria-label="The database had ${formatBytes(databaseBytes)} on ${takenAt.slice(0, 10)} and will have about ${formatBytes(expected)}, between ${formatBytes(low)} and ${formatBytes(high)}, at the end of ${last.month}"
    height="${HEIGHT_PX}"
  >
    ${scale.ticks.map(
      ({ bytes }) => html`<line class="grid" x1="0" x2="100%" y1="${round(yPx(bytes))}" y2="${round(yPx(bytes))}" />`,
    )}
    <svg x="0" y="${TOP_PX}" width="100%" height="${PLOT_PX}" viewBox="0 0 100 100" preserveAspectRatio="none">
      <polygon class="others" points="${ground(first.atMs, endMs, othersBytes)}" />
      <polygon class="messages" points="${body}" />
      <polygon class="band" points="${path([...side('high'), ...side('low').toReversed()])}" />
      <polyline class="past" points="${path(past)}" />
      <polyline class="expected" points="${path(side('expected'))}" />
    </svg>
    ${scale.ticks.map(({ bytes, label }) => html`<text class="tick grid-label" x="0" y="${round(yPx(bytes) - 3)}">${label}</text>`)}
    ${isLimitShown && html`<line class="limit" x1="0" x2="100%" y1="${round(yPx(limit.limitBytes))}" y2="${round(yPx(limit.limitBytes))}" /><text class="limit-label" x="100%" y="${round(yPx(limit.limitBytes) - 4)}" text-anchor="end">limit ${formatBytes(limit.limitBytes)}</text>`}
    ${records.map((record) => html`<circle class="record" cx="${round(x(Date.parse(record.measuredAt)))}%" cy="${round(yPx(record.databaseBytes))}" r="2.5"><title>${record.measuredAt.slice(0, 10)}: ${formatBytes(record.databaseBytes)}, recorded</title></circle>`)}
    <line class="now" x1="${round(x(nowMs))}%" x2="${round(x(nowMs))}%" y1="${TOP_PX}" y2="${TOP_PX + PLOT_PX}" />
    <text class="tick now-label" x="${round(x(nowMs))}%" y="${TOP_PX - 5}" text-anchor="middle">
      now ${formatBytes(databaseBytes)}
    </text>
    <line class="axis" x1="0" x2="100%" y1="${TOP_PX + PLOT_PX}" y2="${TOP_PX + PLOT_PX}" />
    ${years}
  </svg>`;
}
