import { MAX_WAIT_OPTION, WAIT_OPTION } from '../../options.js';
import type { OptionSpec } from '../../command.js';

export interface LockWaits {
  readonly maxWait: number;
  readonly wait: number;
}

/** What every command that moves a whole month understands. */
export const LOCK_WAITS: readonly OptionSpec[] = [MAX_WAIT_OPTION, WAIT_OPTION];
