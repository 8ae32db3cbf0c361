import { createHmac, randomBytes } from 'node:crypto';

import { Random } from '../../../base/random.js';

/** Everything masked comes from this key and the value: the same value gives the same mask, and no mask leads back. */
export class MaskKey {
  readonly #key: Buffer;

  constructor(secret: string | undefined) {
    this.#key = secret === undefined ? randomBytes(32) : Buffer.from(secret);
  }

  /** The random numbers of a value. `purpose` keeps classes apart; a further attempt gives others. */
  random(purpose: string, value: string, attempt = 0): Random {
    const digest = createHmac('sha256', this.#key).update(`${purpose}\0${attempt}\0${value}`).digest();
    return new Random(digest.readInt32LE(0), digest.readInt32LE(4), digest.readInt32LE(8));
  }

  /** Of a value, for comparing without keeping it. */
  digest(value: string): string {
    return createHmac('sha256', this.#key).update(`digest\0${value}`).digest('base64');
  }
}
