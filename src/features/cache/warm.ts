import type { CacheAccess } from './access.js';
import type { CachedRow } from './protocol/cached-table.js';
import { ALL_ROWS, DEFAULT_TTL_MS, entryKey, scopeOf, TOKEN_TTL_FACTOR, USER_ROW } from './protocol/keys.js';
import { withJitter, writeEntry } from './protocol/row-text.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import type { Reporting } from '../../base/reporting.js';
import { readSettings, readUserRows } from './read-rows.js';

export interface WarmResult {
  readonly database: string;
  readonly redis: string;
  readonly settings: number;
  readonly users: number;
  /** Entries that were written, or would be. */
  readonly entries: number;
  /** False: no service shares the cache now, and what was written is valid only for services that start while a process listens. */
  readonly isShared: boolean;
  readonly isDryRun: boolean;
}

/** Stores rows under the tokens that were in force before they were read. */
class Writer {
  readonly #access: CacheAccess;
  readonly #prefix: string;
  readonly #isDryRun: boolean;
  entries = 0;

  constructor(access: CacheAccess, prefix: string, isDryRun: boolean) {
    this.#access = access;
    this.#prefix = prefix;
    this.#isDryRun = isDryRun;
  }

  async token(scope: string): Promise<string> {
    if (this.#isDryRun) return '';
    this.#check();
    return this.#access.store.token(`${this.#prefix}${scope}`, DEFAULT_TTL_MS * TOKEN_TTL_FACTOR);
  }

  async write(scope: string, key: string, token: string, owner: string, rows: readonly CachedRow[]): Promise<void> {
    if (this.#isDryRun) {
      this.entries += 1;
      return;
    }
    this.#check();
    const text = writeEntry(token, owner, rows);
    await this.#access.store.write(entryKey(this.#prefix, scope, key), text, withJitter(DEFAULT_TTL_MS));
    this.entries += 1;
  }

  #check(): void {
    if (this.#access.membership.prefix === this.#prefix) return;
    throw new AisecError('REDIS_UNREACHABLE', 'the cache was emptied, or its connections broke, while it was filled', {
      hint: 'Run it again; what was written so far does no harm.',
    });
  }
}

/**
 * Puts all settings, and the preferences and assistants of the users who logged in last, into Redis, by the same protocol
 * that services follow.
 *
 * @throws AisecError as `CacheAccess.join` does; PRIVILEGE_MISSING when the role may not read users or act for them.
 */
export async function warmCache(
  session: Session,
  access: CacheAccess,
  { users, isDryRun }: { readonly users: number; readonly isDryRun: boolean },
  { onProgress }: Pick<Reporting, 'onProgress'>,
): Promise<WarmResult> {
  // It says first where the tables are not there.
  const prefix = (await access.join(!isDryRun)) ?? '';
  const ids = (await session.query<{ id: string }>(sqlFile('cache/recent-users'), [users])).rows;
  const writer = new Writer(access, prefix, isDryRun);
  const scope = scopeOf('system_settings');
  const token = await writer.token(scope);
  const settings = await readSettings(session);
  for (const row of settings) await writer.write(scope, row.key, token, '', [row]);
  for (const [index, { id }] of ids.entries()) {
    const [ofPreferences, ofAssistants] = [scopeOf('user_preferences', id), scopeOf('assistants', id)];
    const tokens = [await writer.token(ofPreferences), await writer.token(ofAssistants)] as const;
    const { preferences, assistants } = await readUserRows(session, id);
    if (preferences.length > 0) await writer.write(ofPreferences, USER_ROW, tokens[0], id, preferences);
    await writer.write(ofAssistants, ALL_ROWS, tokens[1], id, assistants);
    if (index % 50 === 49) onProgress(`${index + 1} of ${ids.length} users`);
  }
  return {
    database: session.info.label,
    redis: access.redis,
    settings: settings.length,
    users: ids.length,
    entries: writer.entries,
    isShared: access.membership.wasWelcomed,
    isDryRun,
  };
}
