import type { Session } from '../../../adapters/postgres/session.js';
import type { KnownRelation } from '../effects/effects.js';
import type { Live } from './server/live-facts.js';
import type { StatementRunner } from './run-statements.js';
import type { WrittenTables } from './server/written-tables.js';

export interface FileContext {
  readonly session: Session;
  readonly runner: StatementRunner;
  /** What was there before the batch. */
  readonly known: ReadonlyMap<number, KnownRelation>;
  /** Keys of the relations that the batch has made so far. */
  readonly made: Set<string>;
  /** Tables whose rows the batch has changed so far. */
  readonly written: WrittenTables;
  readonly options: {
    readonly schema: string;
    readonly serverMajor: number;
    readonly live: Live | undefined;
  };
}
