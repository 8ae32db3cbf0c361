import type { Selectable } from 'kysely';

import type { DB } from '../../../schema/index.js';

/** The tables that are read often and written seldom. */
export type CachedTable = 'system_settings' | 'user_preferences' | 'assistants';

export type SettingRow = Selectable<DB['system_settings']>;
export type PreferencesRow = Selectable<DB['user_preferences']>;
export type AssistantRow = Selectable<DB['assistants']>;
export type CachedRow = SettingRow | PreferencesRow | AssistantRow;

/** The columns of the types, by name: a column that was added by hand is unknown to this version. */
export const COLUMNS = {
  system_settings: ['id', 'key', 'value', 'description', 'updated_at'],
  user_preferences: [
    'user_id',
    'theme',
    'language',
    'timezone',
    'notification_settings',
    'privacy_settings',
    'default_assistant_id',
    'created_at',
    'updated_at',
  ],
  assistants: [
    'id',
    'user_id',
    'name',
    'description',
    'personality_template_id',
    'voice_id',
    'avatar_id',
    'default_llm_model',
    'custom_system_prompt',
    'is_active',
    'is_public',
    'created_at',
    'updated_at',
  ],
} as const satisfies { readonly [Table in CachedTable]: readonly (keyof DB[Table])[] };

/** Those whose value is a Date. */
const TIMES = ['created_at', 'updated_at'] as const;

/** A copy whose times are the caller's own; what is inside of jsonb is frozen. */
export function copyRow<Row extends CachedRow>(row: Row): Row {
  const copy: Record<string, unknown> = { ...row };
  for (const column of TIMES) {
    const value = copy[column];
    if (value instanceof Date) copy[column] = new Date(value);
  }
  return copy as unknown as Row;
}

/** In place. */
export function reviveTimes(row: Record<string, unknown>): void {
  for (const column of TIMES) {
    const value = row[column];
    if (typeof value === 'string') row[column] = new Date(value);
  }
}

/** Freezes what is inside of jsonb columns: callers share it. */
export function freezeRow(row: CachedRow): void {
  for (const value of Object.values(row)) freeze(value);
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof Date) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freeze(inner);
}
