import { AisecError } from '../../../base/errors.js';
import { DAY_MS } from './rhythm.js';

export interface DemoOptions {
  readonly users: number;
  readonly conversations: number;
  readonly messages: number;
  readonly embeddings: number;
  readonly months: number;
  readonly seed: string;
  readonly locale: 'ja' | 'en';
  /** `2025-03-31`: rows are of the months before this day, which is itself outside. */
  readonly until: string;
}

/** Default number of conversations: what an average one is long. */
const MESSAGES_A_CONVERSATION = 40;
/** More of them in one conversation would not fit between its start and the end at a millisecond each. */
const MOST_MESSAGES_A_CONVERSATION = 10_000;
const EARLIEST_DAY = '2000-01-01';

export function defaultConversations(messages: number): number {
  return Math.ceil(messages / MESSAGES_A_CONVERSATION);
}

/** Midnight in UTC at which a day begins; undefined for what is no day. */
export function dayMs(day: string): number | undefined {
  const timeMs = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  // 2025-02-30 would be read as the 2nd of March.
  return Number.isNaN(timeMs) || dayOf(timeMs) !== day ? undefined : timeMs;
}

export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** Midnight of the same day of the month so many months earlier, or of that month's last day. */
export function monthsBefore(timeMs: number, months: number): number {
  const date = new Date(timeMs);
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months, 1);
  const nextFirst = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months + 1, 1);
  return Math.min(first + (date.getUTCDate() - 1) * DAY_MS, nextFirst - DAY_MS);
}

/** @throws AisecError USAGE for numbers that do not go together. */
export function checkDemoOptions(options: DemoOptions, nowMs: number): void {
  const { messages, conversations, until, seed } = options;
  if (!/^[\w.-]{1,64}$/.test(seed))
    throw new AisecError('USAGE', `"${seed}" cannot be used as a seed`, {
      hint: 'A seed has 1 to 64 letters, digits, dots, hyphens and underscores.',
    });
  if (messages > conversations * MOST_MESSAGES_A_CONVERSATION)
    throw new AisecError('USAGE', `${messages} messages are too many for ${conversations} conversations`, {
      hint: `Give --conversations ${Math.max(1, defaultConversations(messages))}, or leave it out.`,
    });
  const untilMs = dayMs(until);
  if (untilMs === undefined || until < EARLIEST_DAY || untilMs > nowMs)
    throw new AisecError('USAGE', `"${until}" cannot be used as the day of --until`, {
      hint: `Give a day as YYYY-MM-DD, from ${EARLIEST_DAY} to today (UTC).`,
    });
}
