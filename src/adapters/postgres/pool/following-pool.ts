import pg from 'pg';

import { isNotUpYet } from '../login/not-up-yet.js';
import { OtherKindOfServer } from '../login/session-attributes.js';

type Callback = Parameters<pg.Pool['connect']>[0];
type Address = Pick<pg.PoolConfig, 'host' | 'port' | 'ssl' | 'sslnegotiation' | 'password'>;

/** Whether another server of those that are named may do better. */
function isForAnother(error: unknown): boolean {
  return error instanceof OtherKindOfServer || isNotUpYet(error);
}

/** A pool that goes over to another server when its own gives no connection any more: connections from then on lead there. */
export class FollowingPool extends pg.Pool {
  readonly #find: (() => Promise<Address>) | undefined;
  #finding: Promise<void> | undefined;
  /** Counts the searches, so that who failed before one does not begin another. */
  #searches = 0;

  /** @param find looks for a server among several; undefined: there is one. */
  constructor(config: pg.PoolConfig, find: (() => Promise<Address>) | undefined) {
    super(config);
    this.#find = find;
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<pg.PoolClient> | void {
    return callback === undefined ? this.#connect() : super.connect(callback);
  }

  async #connect(): Promise<pg.PoolClient> {
    const searches = this.#searches;
    try {
      return await super.connect();
    } catch (error) {
      if (this.#find === undefined || !isForAnother(error)) throw error;
      if (searches === this.#searches) await this.#search(this.#find);
      return super.connect();
    }
  }

  async #search(find: () => Promise<Address>): Promise<void> {
    this.#finding ??= find()
      .then((address) => {
        Object.assign(this.options, address);
        this.#searches += 1;
      })
      .finally(() => {
        this.#finding = undefined;
      });
    await this.#finding;
  }
}
