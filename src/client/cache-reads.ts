import { AisecError } from '../base/errors.js';
import {
  ALL_ROWS,
  copyRow,
  USER_ROW,
  type AssistantRow,
  type CachedRow,
  type PreferencesRow,
  type Rows,
  type SettingRow,
} from '../features/cache/index.js';
import type { CacheQuery } from './cache-reader.js';

/** What a service reads of a cache. */
export interface CacheReads {
  /** The setting of the platform with this key; undefined: there is none. */
  setting(key: string): Promise<SettingRow | undefined>;
  /** The preferences of a user; undefined: there are none. */
  preferences(userId: string): Promise<PreferencesRow | undefined>;
  /** The assistants of a user, the oldest first. */
  assistants(userId: string): Promise<AssistantRow[]>;
  /** One of them; undefined: there is none, or it is another user's. */
  assistant(userId: string, assistantId: string): Promise<AssistantRow | undefined>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
function uuid(text: string, what: string): string {
  const id = typeof text === 'string' ? text.toLowerCase() : '';
  if (UUID.test(id)) return id;
  throw new AisecError('USAGE', `the cache was asked with a ${what} that is not a UUID`, {
    hint: `Give the id of the row in ${what === 'user id' ? 'users' : 'assistants'}.`,
  });
}

/** A caller may change what it gets; no other caller sees that. */
function first<Row extends CachedRow>(rows: readonly CachedRow[]): Row | undefined {
  const [row] = rows;
  return row === undefined ? undefined : copyRow(row as Row);
}

async function failed(error: unknown): Promise<never> {
  throw error;
}

/** The reads of a cache, over what it has of a query. */
export function cacheReads(read: (query: CacheQuery) => Promise<Rows>): CacheReads {
  // No `async`: each promise costs a hit some tenths of a microsecond, and what is invalid is rejected all the same.
  const ask = <Result>(query: () => CacheQuery, result: (rows: Rows) => Result): Promise<Result> => {
    try {
      return read(query()).then(result);
    } catch (error) {
      return failed(error);
    }
  };
  return {
    setting: (key) => ask(() => ({ table: 'system_settings', owner: '', key }), first<SettingRow>),
    preferences: (userId) =>
      ask(() => ({ table: 'user_preferences', owner: uuid(userId, 'user id'), key: USER_ROW }), first<PreferencesRow>),
    assistants: (userId) =>
      ask(
        () => ({ table: 'assistants', owner: uuid(userId, 'user id'), key: ALL_ROWS }),
        (rows) => rows.map((row) => copyRow(row as AssistantRow)),
      ),
    assistant: (userId, assistantId) =>
      ask(
        () => {
          const key = uuid(assistantId, 'assistant id');
          return { table: 'assistants', owner: uuid(userId, 'user id'), key };
        },
        first<AssistantRow>,
      ),
  };
}
