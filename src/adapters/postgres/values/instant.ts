import { types } from 'node:util';

/**
 * The ends of what a Date can hold stand for PostgreSQL's infinity, so that every timestamptz is a Date, and is earlier or
 * later than others as it is in the database. Npgsql and pgjdbc do the same.
 */
const END_MS = 8.64e15;

const TEXT = /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;

/** A timestamptz as PostgreSQL writes it in DateStyle ISO. What is later than any Date comes as the last one. */
export function parseInstant(text: string): Date {
  if (text === 'infinity') return new Date(END_MS);
  if (text === '-infinity') return new Date(-END_MS);
  const parts = TEXT.exec(text);
  // Another DateStyle was set in the session.
  if (parts === null) return new Date(text);
  const [, year, month, day, hours, minutes, seconds, fraction = '', sign, ...zone] = parts;
  const [zoneHours, zoneMinutes = 0, zoneSeconds = 0, era] = zone;
  const date = new Date(0);
  date.setUTCFullYear(era === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hours), Number(minutes), Number(seconds), Number(fraction.padEnd(3, '0').slice(0, 3)));
  const offsetMs = (Number(zoneHours) * 3600 + Number(zoneMinutes) * 60 + Number(zoneSeconds)) * 1000;
  const instant = new Date(date.getTime() - (sign === '-' ? -offsetMs : offsetMs));
  return Number.isNaN(instant.getTime()) ? new Date(END_MS) : instant;
}

/** In UTC, whatever the zone of the process: the driver would write the offset of the day, which once had seconds. */
function instantText(date: Date): string {
  const ms = date.getTime();
  // PostgreSQL refuses it by that name.
  if (Number.isNaN(ms)) return 'Invalid Date';
  if (Math.abs(ms) === END_MS) return ms < 0 ? '-infinity' : 'infinity';
  const year = date.getUTCFullYear();
  const [, rest = ''] = /^[+-]?\d+(-.*)$/.exec(date.toISOString()) ?? [];
  return year < 1 ? `${String(1 - year).padStart(4, '0')}${rest} BC` : `${String(year).padStart(4, '0')}${rest}`;
}

/** A parameter as node-postgres sends it right. */
export function toParameter(value: unknown): unknown {
  if (types.isDate(value)) return instantText(value);
  if (Object.is(value, -0)) return '-0';
  return Array.isArray(value) ? value.map(toParameter) : value;
}
