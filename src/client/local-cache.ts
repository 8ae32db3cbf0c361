import type { CachedTable, Rows } from '../features/cache/index.js';

export interface LocalEntry {
  readonly rows: Rows;
  readonly expiresMs: number;
}

/**
 * What is known of rows that change together, and who is fetching more. A change takes the whole object away: what is
 * still being fetched into it is unreachable. That the object is the same is the token that an entry is good under.
 */
export interface LocalScope {
  readonly entries: Map<string, LocalEntry>;
  readonly flights: Map<string, Promise<Rows>>;
}

const MOST_ENTRIES_OF_SCOPE = 1000;

/** The entries of this process. A scope that was not asked for longest goes when there are too many. */
export class LocalCache {
  readonly #mostScopes: number;
  #tables = new Map<CachedTable, Map<string, LocalScope>>();

  constructor(mostScopes: number) {
    this.#mostScopes = mostScopes;
  }

  /** `owner` is a user, or empty. */
  scope(table: CachedTable, owner: string): LocalScope {
    let scopes = this.#tables.get(table);
    if (scopes === undefined) this.#tables.set(table, (scopes = new Map<string, LocalScope>()));
    let scope = scopes.get(owner);
    if (scope === undefined) {
      scope = { entries: new Map(), flights: new Map() };
      const [oldest] = scopes.keys();
      if (scopes.size >= this.#mostScopes && oldest !== undefined) scopes.delete(oldest);
    } else {
      scopes.delete(owner);
    }
    scopes.set(owner, scope);
    return scope;
  }

  keep(scope: LocalScope, key: string, entry: LocalEntry): void {
    if (scope.entries.size >= MOST_ENTRIES_OF_SCOPE) scope.entries.clear();
    scope.entries.set(key, entry);
  }

  forget(table: CachedTable, owner: string): void {
    this.#tables.get(table)?.delete(owner);
  }

  forgetTable(table: CachedTable): void {
    this.#tables.delete(table);
  }

  clear(): void {
    this.#tables = new Map();
  }

  get size(): number {
    let size = 0;
    for (const scopes of this.#tables.values()) for (const { entries } of scopes.values()) size += entries.size;
    return size;
  }
}
