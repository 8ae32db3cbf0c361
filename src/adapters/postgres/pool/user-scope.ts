import { AsyncLocalStorage } from 'node:async_hooks';

import { AisecError } from '../../../base/errors.js';

/** Whom a transaction acts for. It travels with the asynchronous calls of its callback, not with a connection. */
export interface UserScope {
  readonly userId: string;
  readonly role: string;
  /** Further settings of the transaction, by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** Nothing is written, so that no position of the log is to be kept for the user. */
  readonly isReadOnly: boolean;
  /** A replica may serve it, if it has replayed the log up to `notBefore` and to the last write of the user. */
  readonly mayUseReplica: boolean;
  readonly notBefore: bigint;
  /** Ends the scope: what runs is cancelled, and nothing more is sent. */
  readonly signal: AbortSignal | undefined;
  /** The pool whose connection the scope has; undefined until it has one. */
  owner: object | undefined;
  /** True once the server has taken role and user. */
  isSet: boolean;
  /** False when the callback is over: what it left running is outside of the scope. */
  isOpen: boolean;
  readonly outer: UserScope | undefined;
}

const scopes = new AsyncLocalStorage<UserScope>();

export function currentScope(): UserScope | undefined {
  return scopes.getStore();
}

/** Runs the callback inside of a new scope. */
export async function inUserScope<Result>(
  parts: Omit<UserScope, 'owner' | 'isSet' | 'isOpen' | 'outer'>,
  run: (scope: UserScope) => Promise<Result>,
): Promise<Result> {
  const scope: UserScope = { ...parts, owner: undefined, isSet: false, isOpen: true, outer: currentScope() };
  return scopes.run(scope, async () => {
    try {
      return await run(scope);
    } finally {
      scope.isOpen = false;
    }
  });
}

/**
 * Takes a connection of the pool for the scope that runs, if one does and has none yet.
 *
 * @throws AisecError USER_SCOPE when the scope already has one of the same pool: the second one would not be the
 *   user's, and 50 callers who wait for a second one while holding their first would wait for ever.
 */
export function enterPool(pool: object): void {
  const scope = currentScope();
  for (let inner = scope; inner !== undefined; inner = inner.outer) {
    if (!inner.isOpen || inner.owner !== pool) continue;
    throw new AisecError('USER_SCOPE', 'the database itself was used inside of withUser', {
      detail: 'That query would run on another connection, outside of the transaction and not as the user.',
      hint: 'Use the transaction that withUser hands to its callback, or run the query before or after it.',
    });
  }
  if (scope !== undefined && scope.isOpen) scope.owner ??= pool;
}
