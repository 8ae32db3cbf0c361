import { formatBytes } from '../../../base/bytes.js';
import { formatMonths } from '../../../base/month.js';
import type { GrowthReport } from './growth.js';

/** How the forecast was made, in sentences: what it rests on, what it leaves out, and how well it would have done. */
export function methodSentences({
  forecast,
  othersBytesPerDay,
  othersBytes,
  records,
}: GrowthReport): readonly string[] {
  if (forecast === null) return [];
  const { method, fromMonth, toMonth, monthsUsed, backTest } = forecast;
  const basis = `${monthsUsed} closed months of messages and messages_archive (${formatMonths(fromMonth, toMonth)})`;
  const how =
    method === 'trend'
      ? `From ${basis}: they grow steadily, and the line through them continues.`
      : `From ${basis}: their median continues.`;
  const range = 'The range is what would come if every month were as far off as the smallest and the largest of them.';
  const others =
    othersBytesPerDay === null
      ? `Everything else (${formatBytes(othersBytes)}) is assumed to stay the same; a daily aisec monitor record measures it, from a week on.`
      : `Everything else: ${formatBytes(Math.abs(othersBytesPerDay.expected))} a day ${othersBytesPerDay.expected < 0 ? 'less' : 'more'}, from ${records.length} daily records.`;
  const tried =
    backTest === null
      ? 'There are too few closed months to try the method on.'
      : `Tried ${backTest.trials === 1 ? 'once' : `${backTest.trials} times`} on these months, ${backTest.horizonMonths} ahead: half were off by ${percent(backTest.medianError)} or less, ${backTest.withinRange} lay in the range.`;
  return [how, range, others, tried, 'What archive prune or a deletion would free is not foreseen.'];
}

function percent(share: number): string {
  return `${share < 0.0995 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;
}

/** When the limit is reached, in a sentence. */
export function limitSentence({ limit, databaseBytes }: GrowthReport): string {
  if (limit === null) return '';
  const { limitBytes, earliest, expected, latest } = limit;
  const size = formatBytes(limitBytes);
  if (databaseBytes >= limitBytes) return `${size} are reached: the database has ${formatBytes(databaseBytes)}.`;
  if (earliest === null) return `${size} will not be reached within ten years.`;
  const day = (text: string | null): string => text ?? 'later than in ten years';
  return `${size} will be reached about ${day(expected)}, at the earliest ${earliest}, at the latest ${day(latest)}.`;
}
