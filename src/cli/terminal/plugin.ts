import { isAisecError, messageOf } from '../../base/errors.js';
import { redactText } from '../../base/redact.js';

/** Of the plugin guidelines: https://www.monitoring-plugins.org/doc/guidelines.html */
export const PLUGIN_CODES = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;

export type PluginWord = keyof typeof PLUGIN_CODES;

/** A line is shown in tables and sent as a text message. */
const LONGEST_TEXT = 700;

/** `|` begins the figures, and a second line is not shown. */
function oneLine(text: string): string {
  const clean = text.replaceAll('|', '/').replaceAll(/\s+/g, ' ').trim();
  return clean.length > LONGEST_TEXT ? `${clean.slice(0, LONGEST_TEXT - 3)}...` : clean;
}

/** The one line of a plugin: the state, what there is to say, and the figures. */
export function pluginLine(word: PluginWord, text: string, figures: readonly string[] = []): string {
  const performance = figures.length === 0 ? '' : ` | ${figures.join(' ')}`;
  return `${oneLine(`AISEC ${word} - ${text}`)}${performance}\n`;
}

/** A database that cannot be reached is critical; a wrong option, setting or right says nothing of it. */
export function pluginFailure(error: unknown): { readonly text: string; readonly code: 2 | 3 } {
  const isDatabase = isAisecError(
    error,
    'DATABASE_UNREACHABLE',
    'DATABASE_AUTH',
    'DATABASE_MISSING',
    'CONNECTION_LOST',
    'NODE_UNREACHABLE',
    'EMBEDDED_FAILED',
  );
  const word = isDatabase ? 'CRITICAL' : 'UNKNOWN';
  return { text: pluginLine(word, redactText(messageOf(error))), code: PLUGIN_CODES[word] };
}
