import { AisecError } from '../../../base/errors.js';
import type { DatabaseLocale } from '../../../features/backup/server/create-database.js';

/** Reads `C.UTF-8`, `libc:ja_JP.UTF-8`, `icu:ja-JP`, `builtin:C.UTF-8`. @throws AisecError USAGE. */
export function localeOption(text: string): DatabaseLocale {
  const [, provider = 'libc', name] = /^(?:(libc|icu|builtin):)?([\w.@=-]+)$/.exec(text) ?? [];
  if (name !== undefined) return { provider: provider as DatabaseLocale['provider'], name };
  throw new AisecError('USAGE', `invalid locale "${text}"`, {
    hint: 'Give a name, with its provider when that is not libc: C.UTF-8, icu:ja-JP, builtin:C.UTF-8.',
  });
}
