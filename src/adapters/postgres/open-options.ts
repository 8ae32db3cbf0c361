import type { ServerTarget } from '../../config/database-target.js';
import type { PinOptions } from './pinned-settings.js';
import type { Notice } from './session.js';

export interface OpenOptions extends PinOptions {
  /** As shown in pg_stat_activity: `aisec migrate up`. */
  readonly applicationName: string;
  /**
   * A missing embedded database is refused (`existing`, so that a job with a lost DATABASE_URL cannot succeed on an
   * empty one), created, or replaced by one in memory (`scratch`, for a dry run).
   */
  readonly embedded: 'existing' | 'create' | 'scratch';
  readonly signal: AbortSignal;
  /** How long a server may take to come up; 0 or undefined: it must be up. */
  readonly waitForServerMs?: number;
  /** Called with the server that was chosen, as soon as the session is there: where several are named it is one of them. */
  readonly onServer?: (target: ServerTarget) => void;
  readonly onNotice?: (notice: Notice) => void;
  /** Called before something slow starts, such as creating the embedded database (about 5 s). */
  readonly onStep?: (message: string) => void;
}
