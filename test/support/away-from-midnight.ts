import { setTimeout as sleep } from 'node:timers/promises';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Longer than nearly every file takes. */
const BEFORE_MS = 3 * MINUTE_MS;
/** The first minutes of a day are those of the day before in a slot of time. */
const AFTER_MS = 2 * MINUTE_MS;

/** How long a test file waits before it begins: a file that midnight of UTC comes upon would see two days, or two months. */
export function pauseMs(nowMs: number): number {
  const sinceMs = (nowMs + BEFORE_MS) % DAY_MS;
  return sinceMs < BEFORE_MS + AFTER_MS ? BEFORE_MS + AFTER_MS - sinceMs : 0;
}

// A set-up file: it is waited for before the test file is loaded, whose constants are those of the moment.
await sleep(pauseMs(Date.now()));
