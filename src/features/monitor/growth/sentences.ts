import { formatBytes } from '../../../base/bytes.js';
import { listed } from '../../../base/count.js';
import { formatMonths } from '../../../base/month.js';
import { FARTHEST_MONTHS } from './forecast.js';
import type { GrowthReport } from './growth.js';

function othersSentence({ othersBytes, othersBytesPerDay, othersFrom, records }: GrowthReport): string {
  const size = formatBytes(othersBytes);
  if (othersBytesPerDay === null || othersFrom === null)
    return `Everything else (${size}) is assumed to stay the same; a daily aisec monitor record measures it, from a week on.`;
  const { expected } = othersBytesPerDay;
  const rate = `${formatBytes(Math.abs(expected))} a day ${expected < 0 ? 'less' : 'more'}`;
  return othersFrom.source === 'records'
    ? `Everything else (${size}): ${rate}, from ${records.length} daily records.`
    : `Everything else (${size}): ${rate}, by created_at of ${listed(othersFrom.tables, 9)}; the rest is assumed to stay the same. A daily aisec monitor record measures all of it.`;
}

/** How the forecast was made, in sentences: what it rests on, what it leaves out, and how well it would have done. */
export function methodSentences(report: GrowthReport): readonly string[] {
  const { forecast } = report;
  if (forecast === null) return [];
  const { method, fromMonth, toMonth, monthsUsed, backTest } = forecast;
  const basis = `${monthsUsed} closed months of messages and messages_archive (${formatMonths(fromMonth, toMonth)})`;
  const how =
    method === 'trend'
      ? `From ${basis}: they grow steadily, and the line through them continues.`
      : `From ${basis}: their median continues.`;
  const range =
    'The range is what would come if every month were as far off as the smallest and the largest of them, and, from six months on, if they rose as steeply as they may.';
  const horizon = `There is no forecast beyond ${forecast.horizonMonths} months from now: twice the months that are known, and at most three years.`;
  const tried =
    backTest === null
      ? 'There are too few closed months to try the method on.'
      : `Tried ${backTest.trials === 1 ? 'once' : `${backTest.trials} times`} on these months, ${backTest.horizonMonths} ahead: half were off by ${percent(backTest.medianError)} or less, ${backTest.withinRange} lay in the range.`;
  return [
    how,
    range,
    othersSentence(report),
    horizon,
    tried,
    'What archive prune or a deletion would free is not foreseen.',
  ];
}

function percent(share: number): string {
  return `${share < 0.0995 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;
}

/** When the limit is reached, in a sentence. */
export function limitSentence({ limit, databaseBytes }: GrowthReport): string {
  if (limit === null) return '';
  const { limitBytes, horizonMonths, earliest, expected, latest } = limit;
  const size = formatBytes(limitBytes);
  if (databaseBytes >= limitBytes) return `${size} are reached: the database has ${formatBytes(databaseBytes)}.`;
  const beyond = horizonMonths === FARTHEST_MONTHS ? 'more than three years' : `more than ${horizonMonths} months`;
  if (earliest === null) return `${size} will be reached in ${beyond}, if ever.`;
  if (expected === null) return `${size} will be reached in ${beyond}, in ${earliest.month} at the earliest.`;
  const last = latest === null ? `in ${beyond}` : `in ${latest.month}`;
  return `${size} will be reached about ${expected.month}: in ${earliest.month} at the earliest, ${last} at the latest.`;
}
