import type { CacheAccess } from './access.js';
import type { CachedRow } from './protocol/cached-table.js';
import { ALL_ROWS, entryOfKey, USER_ROW, type EntryPlace } from './protocol/keys.js';
import { changeMessage } from './protocol/message.js';
import { readEntry } from './protocol/row-text.js';
import { AisecError } from '../../base/errors.js';
import type { Session } from '../../adapters/postgres/session.js';
import type { Reporting } from '../../base/reporting.js';
import { readSettings, readUserRows, type UserRows } from './read-rows.js';

export interface Difference {
  readonly table: string;
  /** Whose row it is; null: every user's. */
  readonly userId: string | null;
  readonly key: string;
}

export interface SyncResult {
  readonly database: string;
  readonly redis: string;
  readonly isDryRun: boolean;
  readonly isShared: boolean;
  /** Entries that were compared with the database. */
  readonly compared: number;
  /** Those that were not what the database holds; they were dropped, unless in a dry run. */
  readonly differences: readonly Difference[];
}

/** Reads the rows of an entry from the database, those of one user once. */
class Truth {
  readonly #session: Session;
  #settings: readonly (CachedRow & { readonly key: string })[] | undefined;
  #user: { readonly id: string; readonly rows: UserRows } | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  async rows({ table, userId, key }: EntryPlace): Promise<readonly CachedRow[]> {
    if (userId === undefined) {
      this.#settings ??= await readSettings(this.#session);
      return this.#settings.filter((row) => row.key === key);
    }
    if (this.#user?.id !== userId) this.#user = { id: userId, rows: await readUserRows(this.#session, userId) };
    const { preferences, assistants } = this.#user.rows;
    if (table === 'user_preferences') return key === USER_ROW ? preferences : [];
    return key === ALL_ROWS ? assistants : assistants.filter((row) => 'id' in row && row.id === key);
  }
}

/** Rows of an entry that services would take now; undefined: they would not. */
async function rowsInForce(access: CacheAccess, place: EntryPlace): Promise<readonly CachedRow[] | undefined> {
  return access.store.read(place.tokenKey, place.textKey, (found) => {
    if (found === undefined)
      throw new AisecError('REDIS_UNREACHABLE', 'the connection to Redis was lost', { hint: 'Run it again.' });
    const [token = null, text = null] = found;
    return token === null || text === null ? undefined : readEntry(text, token, place.userId ?? '');
  });
}

async function isDifferent(session: Session, access: CacheAccess, truth: Truth, place: EntryPlace): Promise<boolean> {
  const kept = await rowsInForce(access, place);
  if (kept === undefined || JSON.stringify(kept) === JSON.stringify(await truth.rows(place))) return false;
  // Changed a moment ago: once that has been heard, the old entry is gone.
  const fresh = await new Truth(session).rows(place);
  await access.listener.barrier();
  const still = await rowsInForce(access, place);
  return (
    still !== undefined &&
    JSON.stringify(still) === JSON.stringify(kept) &&
    JSON.stringify(still) !== JSON.stringify(fresh)
  );
}

/**
 * Compares every entry that services answer from with the database, read as its owner, and drops those that differ: after a
 * change that was not announced, because the triggers were off.
 *
 * @throws AisecError as `CacheAccess.join` does.
 */
export async function syncCache(
  session: Session,
  access: CacheAccess,
  isDryRun: boolean,
  { onProgress }: Pick<Reporting, 'onProgress'>,
): Promise<SyncResult> {
  const prefix = await access.join(false);
  const places = new Map<string, EntryPlace>();
  if (prefix !== undefined)
    for await (const keys of access.inspection.keysFrom(prefix))
      for (const key of keys) {
        const place = entryOfKey(prefix, key);
        if (place !== undefined) places.set(key, place);
      }
  const truth = new Truth(session);
  const differences: Difference[] = [];
  let compared = 0;
  const byUser = [...places.values()].toSorted((one, other) => (one.userId ?? '').localeCompare(other.userId ?? ''));
  for (const place of byUser) {
    compared += 1;
    if (compared % 200 === 0) onProgress(`${compared} of ${places.size} entries`);
    if (!(await isDifferent(session, access, truth, place))) continue;
    // As if the change had been announced: every service drops it, in the process, too.
    if (!isDryRun) await access.listener.send(changeMessage(place.table, place.userId));
    differences.push({ table: place.table, userId: place.userId ?? null, key: place.key });
  }
  if (prefix !== undefined) await access.listener.barrier();
  return {
    database: session.info.label,
    redis: access.redis,
    isDryRun,
    isShared: prefix !== undefined,
    compared,
    differences,
  };
}
