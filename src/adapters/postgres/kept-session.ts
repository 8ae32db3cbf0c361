import { schemaLockKey } from './locks/advisory-lock.js';
import type { Session } from './session.js';
import { startAnew } from './start-again.js';

/** A backend keeps what it knows of every table it has seen, and each schema has a hundred of its own, of which a command may see few. */
const SCHEMAS_PER_SESSION = { few: 500, many: 25 } as const;

export interface KeptFor {
  readonly schema: string;
  readonly extensionSchema: string;
  /** Two uses with the same text may share a session: the settings that it is opened with. */
  readonly likeness: string;
  readonly seenTables: keyof typeof SCHEMAS_PER_SESSION;
}

/**
 * One session for one schema after the other, since logging in a thousand times takes longer than what is done. Each finds it
 * as it was opened, in its own schema. At most one use at a time.
 */
export class KeptSession {
  #session: Session | undefined;
  #likeness = '';
  #uses = 0;

  async use<Result>(
    wanted: KeptFor,
    open: () => Promise<Session>,
    use: (session: Session) => Promise<Result>,
  ): Promise<Result> {
    const session = await this.#ready(wanted, open);
    let isClean = false;
    try {
      const result = await use(session);
      isClean = !session.isInTransaction;
      return result;
    } finally {
      if (!isClean) await this.close();
    }
  }

  /** Never throws. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }

  async #ready(
    { schema, extensionSchema, likeness, seenTables }: KeptFor,
    open: () => Promise<Session>,
  ): Promise<Session> {
    const belongs = { name: schema, extensionSchema, lockKey: schemaLockKey(schema) };
    const kept = this.#session;
    const isWornOut = kept?.info.kind === 'server' && this.#uses >= SCHEMAS_PER_SESSION[seenTables];
    if (kept !== undefined && !kept.isLost && this.#likeness === likeness && !isWornOut) {
      kept.belongTo(belongs);
      try {
        await startAnew(kept);
        this.#uses += 1;
        return kept;
      } catch {
        // The server has ended it meanwhile, as an idle one: a new one says what is wrong, if anything is.
      }
    }
    await this.close();
    const session = await open();
    session.belongTo(belongs);
    this.#session = session;
    this.#likeness = likeness;
    this.#uses = 1;
    return session;
  }
}
