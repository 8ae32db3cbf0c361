import { AisecError } from '../../../base/errors.js';
import { sleep } from '../../../base/interruption.js';
import { isNotUpYet, NoServerFound } from './not-up-yet.js';
import { OtherKindOfServer } from './session-attributes.js';

const PAUSE_MS = 250;

const NO_SLOT_LEFT = '53300';

/** A standby may be promoted in a moment, as a server may come up in one, and a session may end. */
function mayComeUp(error: unknown): boolean {
  if ((error as { readonly code?: string }).code === NO_SLOT_LEFT) return true;
  return isNotUpYet(error) || error instanceof NoServerFound || error instanceof OtherKindOfServer;
}

export interface WaitOptions {
  /** 0: one attempt. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Called once, when the first attempt made no connection. */
  readonly onWait: () => void;
}

/**
 * Connects, retrying within `waitMs` while the server is not up yet or has no connection left. Whatever else it says, such
 * as a wrong password, ends the wait at once.
 */
export async function connectWithin<Connection>(
  { waitMs, signal, onWait }: WaitOptions,
  connect: () => Promise<Connection>,
): Promise<Connection> {
  const endMs = performance.now() + waitMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connect();
    } catch (error) {
      if (error instanceof AisecError || !mayComeUp(error) || performance.now() >= endMs) throw error;
      if (attempt === 1) onWait();
      await sleep(Math.min(PAUSE_MS, Math.max(endMs - performance.now(), 1)), signal);
    }
  }
}
