import { isAisecError, messageOf } from '../../../base/errors.js';
import { redactText } from '../../../base/redact.js';
import type { Diagnosis } from '../../../operations/doctor/run.js';
import type { ExitCode } from '../../exit-codes.js';
import { countsText } from './render.js';

/** Of the plugin guidelines: https://www.monitoring-plugins.org/doc/guidelines.html */
interface PluginStatus {
  readonly word: 'OK' | 'WARNING' | 'CRITICAL' | 'UNKNOWN';
  readonly code: ExitCode;
}

const OK: PluginStatus = { word: 'OK', code: 0 };
const WARNING: PluginStatus = { word: 'WARNING', code: 1 };
const CRITICAL: PluginStatus = { word: 'CRITICAL', code: 2 };
const UNKNOWN: PluginStatus = { word: 'UNKNOWN', code: 3 };

/** A line is shown in tables and sent as a text message. */
const LONGEST_TEXT = 700;

/** A run that could look at nothing, or that skipped something under --strict, does not know. */
export function pluginStatus({ counts }: Diagnosis, isStrict: boolean): PluginStatus {
  if (counts.critical > 0) return CRITICAL;
  if (counts.warning > 0) return WARNING;
  return counts.skipped > 0 && (isStrict || counts.checks === 0) ? UNKNOWN : OK;
}

/** `|` begins the figures, and a second line is not shown. */
function oneLine(text: string): string {
  const clean = text.replaceAll('|', '/').replaceAll(/\s+/g, ' ').trim();
  return clean.length > LONGEST_TEXT ? `${clean.slice(0, LONGEST_TEXT - 3)}...` : clean;
}

/** One line, at most 1 kB: the state, how much was found, the worst finding, and the figures. */
export function pluginLine(diagnosis: Diagnosis, isStrict: boolean): string {
  const { counts, findings, durationMs } = diagnosis;
  const [worst] = findings.filter(({ severity }) => severity !== 'notice');
  const skipped = counts.skipped > 0 ? ` (${counts.skipped} skipped)` : '';
  const text = `AISEC ${pluginStatus(diagnosis, isStrict).word} - ${countsText(counts)}${skipped}${worst === undefined ? '' : `: ${worst.id}: ${worst.what}`}`;
  const figures = [
    `critical=${counts.critical};;0;0`,
    `warning=${counts.warning};0;;0`,
    `notice=${counts.notice};;;0`,
    `skipped=${counts.skipped};;;0`,
    `ignored=${counts.ignored};;;0`,
    `checks=${counts.checks};;;0`,
    `time=${(durationMs / 1000).toFixed(3)}s;;;0`,
  ];
  return `${oneLine(text)} | ${figures.join(' ')}\n`;
}

/** A database that cannot be reached is critical; a wrong option or setting says nothing of it. */
export function pluginFailure(error: unknown): { readonly text: string; readonly code: ExitCode } {
  const isDatabase = isAisecError(
    error,
    'DATABASE_UNREACHABLE',
    'DATABASE_AUTH',
    'DATABASE_MISSING',
    'CONNECTION_LOST',
    'EMBEDDED_FAILED',
  );
  const { word, code } = isDatabase ? CRITICAL : UNKNOWN;
  return { text: `AISEC ${word} - ${oneLine(redactText(messageOf(error)))}\n`, code };
}
