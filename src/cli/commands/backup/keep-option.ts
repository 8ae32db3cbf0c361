import { AisecError } from '../../../base/errors.js';
import { parseTime, type TimeUnit } from '../../../base/duration.js';
import type { PlaceCounts, PlaceUnit } from '../../../features/backup/catalog/places.js';
import type { RetentionRule } from '../../../features/backup/catalog/retention.js';
import { ageOption } from '../../options.js';

/** Places of minutes do not exist, so that in a list, as other programs write it, 12m are twelve months. */
const PLACE_UNITS: Readonly<Partial<Record<TimeUnit, PlaceUnit>>> = {
  h: 'hour',
  d: 'day',
  w: 'week',
  min: 'month',
  mo: 'month',
  y: 'year',
};
const MOST_PLACES = 10_000;

function invalid(text: string, detail: string): AisecError {
  return new AisecError('USAGE', `invalid list of places "${text}"`, {
    detail,
    hint: 'Give so many days, weeks, months and years, each once: 7d,5w,12m,3y.',
  });
}

/** Reads an age, `30d`, or a list of places, `7d,5w,12m,3y`. @throws AisecError USAGE. */
export function keepOption(text: string): RetentionRule['keep'] {
  if (!text.includes(',')) return ageOption(text);
  const counts: Partial<Record<PlaceUnit, number>> = {};
  for (const part of text.split(',')) {
    const time = parseTime(part);
    const unit = time === undefined ? undefined : PLACE_UNITS[time.unit];
    if (time === undefined || unit === undefined || /min/i.test(part))
      throw invalid(text, `"${part}" is not a number of hours, days, weeks, months or years.`);
    if (!Number.isInteger(time.amount) || time.amount > MOST_PLACES)
      throw invalid(text, `"${part}" is not a whole number up to ${MOST_PLACES}.`);
    if (counts[unit] !== undefined) throw invalid(text, `The ${unit}s are given twice.`);
    counts[unit] = time.amount;
  }
  return { places: counts satisfies PlaceCounts };
}
