import type { DemoTexts } from './texts/demo-texts.js';
import { dayMs, monthsBefore, type DemoOptions } from './options.js';
import { hashText, Random } from '../../../base/random.js';
import { createRhythm, type Window } from './rhythm.js';
import { TEXTS_EN } from './texts/texts-en.js';
import { TEXTS_JA } from './texts/texts-ja.js';

const HOUR_MS = 3_600_000;
/** Users who have joined before the first conversation; the others come one after another. */
const USERS_AT_START = 0.3;
/** Earlier users do more: one is drawn as a power of a fraction. */
const USER_SKEW = 1.5;

/** What the demo data is made from: numbers, texts and functions that know any row by its number. */
export interface DemoPlan {
  readonly options: DemoOptions;
  readonly window: Window;
  readonly texts: DemoTexts;
  /** The time by which a share of all that happens has happened. */
  readonly timeOf: (share: number) => number;
  /** The generator of the `index`-th thing of a kind. */
  readonly random: (kind: string, index: number) => Random;
  /** The key of the `index`-th row of a table. */
  readonly id: (table: string, index: number) => string;
  /** Number of the first message of each conversation, and behind them the number of all messages. */
  readonly firstMessages: Float64Array;
}

/** Shares the messages out: a few conversations are many times as long as most. */
function shareMessages({ messages, conversations }: DemoOptions, random: DemoPlan['random']): Float64Array {
  const sums = new Float64Array(conversations + 1);
  for (let index = 0; index < conversations; index += 1) {
    sums[index + 1] = (sums[index] ?? 0) + Math.exp(0.8 * random('length', index).normal());
  }
  const total = sums[conversations] ?? 0;
  return sums.map((sum) => (total === 0 ? 0 : Math.round((sum / total) * messages)));
}

/** Pure: the same options always give the same plan. */
export function planDemo(options: DemoOptions): DemoPlan {
  const texts = options.locale === 'ja' ? TEXTS_JA : TEXTS_EN;
  const untilMs = dayMs(options.until) ?? 0;
  const fromMs = monthsBefore(untilMs, options.months);
  const window = { fromMs, untilMs, offsetMs: texts.utcOffsetHours * HOUR_MS };
  const root = hashText(`${options.locale}:${options.seed}`);
  const streams = new Map<string, number>();
  const random = (kind: string, index: number): Random => {
    let stream = streams.get(kind);
    if (stream === undefined) {
      stream = hashText(`${options.seed}:${kind}`);
      streams.set(kind, stream);
    }
    return new Random(root, stream, index);
  };
  return {
    options,
    window,
    texts,
    timeOf: createRhythm(window),
    random,
    id: (table, index) => random(`id:${table}`, index).uuid(),
    firstMessages: shareMessages(options, random),
  };
}

/** When a user joined. */
export function joinedMs({ options, window, timeOf, random }: DemoPlan, user: number): number {
  const share = (user / options.users - USERS_AT_START) / (1 - USERS_AT_START);
  if (share >= 0) return timeOf(share);
  return Math.floor(window.fromMs - random('joined', user).fraction() * 90 * 24 * HOUR_MS);
}

/** A user who has joined by then, an early one more often. */
export function pickUser({ options: { users } }: DemoPlan, share: number, random: Random): number {
  const joined = Math.max(1, Math.floor(users * (USERS_AT_START + (1 - USERS_AT_START) * share)));
  return Math.floor(joined * random.fraction() ** USER_SKEW);
}

/** Users have one, two or three assistants, in turn. */
export function assistantsOf(user: number): { readonly first: number; readonly count: number } {
  return { first: Math.floor(user / 3) * 6 + ([0, 1, 3][user % 3] ?? 0), count: 1 + (user % 3) };
}

export function pickAssistant(user: number, random: Random): number {
  const { first, count } = assistantsOf(user);
  return first + random.below(count);
}

/** `2025-03-31T09:05:00.123Z` */
export function timestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
