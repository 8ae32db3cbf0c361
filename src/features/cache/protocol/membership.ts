import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Listener } from '../../../adapters/postgres/listener.js';
import type { TokenStore } from '../../../adapters/redis/token-store.js';
import { scopeOf, sharedPrefix } from './keys.js';
import {
  epochMessage,
  helloMessage,
  welcomeMessage,
  type ChangeMessage,
  type CacheMessage,
  type HelloMessage,
} from './message.js';

/** How long a listener has to answer a hello. */
const WELCOME_WITHIN_MS = 300;
/** Many would answer at once; the first one suffices. */
const ANSWER_WITHIN_MS = 30;
const MOST_PENDING = 10_000;

function nameAfter(epoch: string): string {
  return createHash('sha256').update(epoch).digest('base64url').slice(0, 12);
}

const randomName = (): string => randomBytes(9).toString('base64url');

/**
 * What several processes agree on about the entries in Redis, through the messages of the database, which all of them
 * hear in the same order. Entries stand under the name of an epoch. Within one epoch
 *
 *     every change that was committed since the epoch began has been followed, or will be before the next read of
 *     every listener that hears of it, by dropping the token of the changed rows.
 *
 * - Who reads a token, or makes a missing one, does so before loading the row, and stores the row under it. So what is
 *   found under a token that is in force was loaded after the last change that was heard of.
 * - A listener that hears of a change drops the token, on the connection that later reads go over. Every one does so, each for the
 *   own reads; a token that is dropped twice costs a miss.
 * - Who has missed messages (a new process, a broken connection) knows nothing. It says hello. A member answers with the
 *   name of the epoch once all that it had heard before the hello is dropped: from there on the newcomer hears for
 *   itself. When none answers, none has listened, and the newcomer declares a new epoch, in which there is nothing.
 * - Redis that was started again may have older data: an epoch belongs to one life of it (run_id). After a mere
 *   interruption what was heard meanwhile is dropped before anything is read.
 * - A change of anybody's rows is a new epoch, whose name follows from the old one, so that all come to the same.
 */
export class Membership {
  readonly #listener: Listener;
  readonly #store: TokenStore;
  #stamp = '';
  #runId: string | undefined;
  #epoch: { readonly name: string; readonly run: string; readonly prefix: string } | undefined;
  #joining: { readonly id: string; readonly timer: NodeJS.Timeout } | undefined;
  /** Scopes whose token Redis has not confirmed to be gone, with the number of the change. */
  readonly #pending = new Map<string, number>();
  readonly #drops = new Set<Promise<boolean>>();
  readonly #answered = new Set<string>();
  #changes = 0;
  #wasWelcomed = false;
  #declares = true;

  constructor(listener: Listener, store: TokenStore) {
    this.#listener = listener;
    this.#store = store;
  }

  /** What the keys of entries begin with; undefined while Redis must not be read or written. */
  get prefix(): string | undefined {
    if (!this.#store.isUp || !this.#listener.isUp || this.#epoch?.run !== this.#runId) return undefined;
    return this.#epoch?.prefix;
  }

  /** For readers only: declares no epoch of its own when no listener answers. */
  onlyJoins(): void {
    this.#declares = false;
  }

  /** Whether others were there, so that what they had put into Redis is good. */
  get wasWelcomed(): boolean {
    return this.#wasWelcomed;
  }

  listenerUp(stamp: string): void {
    this.#stamp = stamp;
    this.#leave();
    this.#join();
  }

  /** Messages are missed from now on. */
  listenerDown(): void {
    this.#leave();
  }

  storeUp(runId: string): void {
    this.#runId = runId;
    if (this.#epoch?.run === runId) this.#dropPending();
    else this.#join();
  }

  hear(message: CacheMessage): void {
    switch (message.kind) {
      case 'change':
        this.#change(message);
        break;
      case 'hello':
        void this.#answer(message);
        break;
      case 'welcome':
        this.#answered.add(message.id);
        if (this.#joining?.id === message.id && this.#runId !== undefined)
          this.#adopt(message.epoch, this.#runId, true);
        break;
      case 'epoch':
        // What was heard before it concerns tokens of other epochs.
        this.#pending.clear();
        if (message.run === this.#runId) this.#adopt(message.epoch, message.run, false);
        else this.#begin(message.epoch, message.run);
        break;
    }
  }

  /** Makes all entries unreachable, for every service. False: it could not be announced. */
  async declareEpoch(): Promise<boolean> {
    return this.#runId !== undefined && this.#listener.send(epochMessage(randomName(), this.#runId));
  }

  close(): void {
    this.#leave();
  }

  #leave(): void {
    this.#epoch = undefined;
    this.#wasWelcomed = false;
    this.#pending.clear();
    this.#answered.clear();
    this.#stopJoining();
  }

  #stopJoining(): void {
    clearTimeout(this.#joining?.timer);
    this.#joining = undefined;
  }

  #join(): void {
    this.#stopJoining();
    if (!this.#store.isUp || !this.#listener.isUp || this.#runId === undefined) return;
    const id = randomName();
    // Not all who came at once declare an epoch: the first one's is heard by the others.
    const patienceMs = WELCOME_WITHIN_MS * (1 + Math.random() / 3);
    this.#joining = { id, timer: setTimeout(() => this.#declares && void this.declareEpoch(), patienceMs) };
    void this.#listener.send(helloMessage(id, this.#runId));
  }

  #begin(name: string, run: string): void {
    this.#epoch = { name, run, prefix: sharedPrefix(this.#stamp, name) };
  }

  #adopt(name: string, run: string, isOfOthers: boolean): void {
    this.#stopJoining();
    this.#begin(name, run);
    this.#wasWelcomed = isOfOthers;
    this.#dropPending();
  }

  #change({ table, users }: ChangeMessage): void {
    if (users === undefined && table !== 'system_settings') {
      this.#pending.clear();
      if (this.#epoch !== undefined) this.#begin(nameAfter(this.#epoch.name), this.#epoch.run);
      // A welcome that is on its way may be of before.
      if (this.#joining !== undefined) this.#join();
      return;
    }
    const scopes = users === undefined ? [scopeOf(table)] : users.map((user) => scopeOf(table, user));
    this.#changes += 1;
    for (const scope of scopes) this.#pending.set(scope, this.#changes);
    if (this.#pending.size > MOST_PENDING) {
      this.#leave();
      this.#join();
    } else if (this.prefix !== undefined) {
      this.#drop(scopes);
    }
  }

  #dropPending(): void {
    if (this.#pending.size > 0 && this.prefix !== undefined) this.#drop([...this.#pending.keys()]);
  }

  /** Sent before any later read, on the same connection. What is not confirmed is sent again when Redis is back. */
  #drop(scopes: readonly string[]): void {
    const { prefix } = this;
    const upTo = this.#changes;
    const drop = this.#store.drop(scopes.map((scope) => `${prefix}${scope}`)).then(
      () => {
        for (const scope of scopes) if ((this.#pending.get(scope) ?? upTo + 1) <= upTo) this.#pending.delete(scope);
        return true;
      },
      (error: unknown) => {
        // Whatever kept it from being dropped: nothing is read over this connection any more.
        this.#store.markUnreliable(error);
        return false;
      },
    );
    this.#drops.add(drop);
    void drop.finally(() => this.#drops.delete(drop));
  }

  async #answer({ id, run }: HelloMessage): Promise<void> {
    const epoch = this.#epoch;
    if (epoch === undefined || epoch.run !== run || this.prefix === undefined || this.#joining?.id === id) return;
    const drops = await Promise.all(this.#drops);
    await sleep(Math.random() * ANSWER_WITHIN_MS, undefined, { ref: false });
    const isKnown = this.#answered.has(id);
    if (this.#answered.size > 1000) this.#answered.clear();
    if (isKnown || drops.includes(false) || this.#epoch !== epoch || this.prefix === undefined) return;
    await this.#listener.send(welcomeMessage(id, epoch.name));
  }
}
