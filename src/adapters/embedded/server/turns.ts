import { setImmediate as nextTurn } from 'node:timers/promises';

/** Why a client did not get the session: another one has been in a transaction for all that time. */
export class TurnTimeout extends Error {
  override readonly name = 'TurnTimeout';
}

interface Turn<Client> {
  readonly client: Client;
  /** Resolves to whether the client keeps the session: it is in a transaction, or in the midst of a statement. */
  readonly work: () => Promise<boolean>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  timer?: NodeJS.Timeout;
}

/**
 * The one session that PGlite has goes from client to client, in the order in which they asked; who is in a transaction
 * keeps it to the end. A client asks for its next turn after the last one, so that none is passed by.
 */
export class Turns<Client> {
  readonly #waitMs: number;
  #waiting: Turn<Client>[] = [];
  #holder: Client | undefined;
  #isWorking = false;
  #isClosed = false;

  /** @param waitMs how long a client waits for another one's transaction; 0: no limit */
  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  get holder(): Client | undefined {
    return this.#holder;
  }

  /** @throws TurnTimeout, and what `work` throws. */
  take(client: Client, work: () => Promise<boolean>): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const turn: Turn<Client> = { client, work, resolve, reject };
      if (this.#waitMs > 0) turn.timer = setTimeout(() => this.#expire(turn), this.#waitMs);
      this.#waiting.push(turn);
      void this.#work();
    });
  }

  /** What a client that is gone still waited for is not done. */
  forget(client: Client): void {
    for (const turn of this.#waiting.filter((each) => each.client === client)) this.#drop(turn).resolve();
  }

  /** No turn begins any more; resolves when the last one has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const turn of this.#waiting) this.#drop(turn).resolve();
    while (this.#isWorking) await nextTurn();
  }

  #drop(turn: Turn<Client>): Turn<Client> {
    clearTimeout(turn.timer);
    this.#waiting = this.#waiting.filter((each) => each !== turn);
    return turn;
  }

  /** Only a transaction is waited for in vain: behind a long statement the turn comes. */
  #expire(turn: Turn<Client>): void {
    if (this.#holder === undefined || this.#holder === turn.client) turn.timer?.refresh();
    else this.#drop(turn).reject(new TurnTimeout());
  }

  #next(): Turn<Client> | undefined {
    const holder = this.#holder;
    return holder === undefined ? this.#waiting[0] : this.#waiting.find(({ client }) => client === holder);
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let turn = this.#next(); turn !== undefined; turn = this.#next()) {
      this.#drop(turn);
      try {
        this.#holder = (await turn.work()) ? turn.client : undefined;
        turn.resolve();
      } catch (error) {
        this.#holder = undefined;
        turn.reject(error);
      }
      // The engine runs on this thread: others are read, and signals noticed, between two turns.
      await nextTurn();
    }
    this.#isWorking = false;
  }
}
