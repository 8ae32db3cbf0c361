import { AisecError } from '../../base/errors.js';

/** A calendar month in UTC, as `2024-01`. @throws AisecError USAGE. */
export function parseMonth(text: string): string {
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(text) && !text.startsWith('0000')) return text;
  throw new AisecError('USAGE', `"${text}" is no month`, { hint: 'Give year and month: 2024-01.' });
}

/** The first day, as SQL takes it: `2024-01-01`. */
export function firstDay(month: string): string {
  return `${month}-01`;
}

/** The first instant of the month, epoch milliseconds. */
export function monthStartMs(month: string): number {
  return Date.parse(`${month}-01T00:00:00Z`);
}

/** The month of a moment, in UTC. */
export function monthOf(moment: Date): string {
  return moment.toISOString().slice(0, 7);
}

/** The first instant after the month, epoch milliseconds. */
export function monthEndMs(month: string): number {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const end = new Date(0);
  end.setUTCFullYear(year, number, 1);
  return end.getTime();
}

/** The name archive_message_partition gives a month. */
export function archivedName(month: string): string {
  return `messages_archive_y${month.slice(0, 4)}m${month.slice(5)}`;
}

/** The name restore_message_partition gives a month. */
export function liveName(month: string): string {
  return `messages_y${month.slice(0, 4)}m${month.slice(5)}`;
}
