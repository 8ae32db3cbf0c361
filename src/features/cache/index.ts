// What a service's cache (src/client) and `aisec cache` must agree on: the keys, the texts and the messages.
export {
  COLUMNS,
  copyRow,
  freezeRow,
  type AssistantRow,
  type CachedRow,
  type CachedTable,
  type PreferencesRow,
  type SettingRow,
} from './protocol/cached-table.js';
export { ALL_ROWS, DEFAULT_TTL_MS, entryKey, scopeOf, TOKEN_TTL_FACTOR, USER_ROW } from './protocol/keys.js';
export { forgetUserAt } from './forget.js';
export { Membership } from './protocol/membership.js';
export { parseMessage } from './protocol/message.js';
export { readEntry, withJitter, writeEntry, type Rows } from './protocol/row-text.js';
