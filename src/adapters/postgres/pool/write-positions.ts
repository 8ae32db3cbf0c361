const MOST_USERS = 10_000;

/** A position of the write-ahead log as a number: `16/B374D848` is 0x16B374D848. */
export function parseLsn(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

export function printLsn(position: bigint): string {
  const part = (value: bigint): string => value.toString(16).toUpperCase();
  return `${part(position >> 32n)}/${part(position & 0xffffffffn)}`;
}

/**
 * Up to where the log must have been replayed for a user to see the own writes. Users are forgotten, the longest unseen first,
 * when there are too many; what was known of them then counts for all.
 */
export class WritePositions {
  readonly #byUser = new Map<string, bigint | undefined>();
  #floor = 0n;

  /** @param position undefined: the outcome of a commit is unknown. */
  note(userId: string, position: bigint | undefined): void {
    const id = userId.toLowerCase();
    this.#byUser.delete(id);
    this.#byUser.set(id, position);
    if (this.#byUser.size <= MOST_USERS) return;
    const [oldest] = this.#byUser;
    if (oldest === undefined) return;
    this.#byUser.delete(oldest[0]);
    if (oldest[1] !== undefined && oldest[1] > this.#floor) this.#floor = oldest[1];
  }

  /** Undefined: no replica can be known to have it all. */
  of(userId: string): bigint | undefined {
    const id = userId.toLowerCase();
    return this.#byUser.has(id) ? this.#byUser.get(id) : this.#floor;
  }
}
