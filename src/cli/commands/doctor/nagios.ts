import type { Diagnosis } from '../../../features/doctor/run.js';
import { pluginLine, type PluginWord } from '../../terminal/plugin.js';
import { countsText } from './render.js';

/** A run that could look at nothing, or that skipped something under --strict, does not know. */
export function wordOf({ counts }: Diagnosis, isStrict: boolean): PluginWord {
  if (counts.critical > 0) return 'CRITICAL';
  if (counts.warning > 0) return 'WARNING';
  return counts.skipped > 0 && (isStrict || counts.checks === 0) ? 'UNKNOWN' : 'OK';
}

/** One line, at most 1 kB: the state, how much was found, the worst finding, and the figures. */
export function diagnosisLine(diagnosis: Diagnosis, isStrict: boolean): string {
  const { counts, findings, durationMs } = diagnosis;
  const [worst] = findings.filter(({ severity }) => severity !== 'notice');
  const skipped = counts.skipped > 0 ? ` (${counts.skipped} skipped)` : '';
  const text = `${countsText(counts)}${skipped}${worst === undefined ? '' : `: ${worst.id}: ${worst.message}`}`;
  const figures = [
    `critical=${counts.critical};;0;0`,
    `warning=${counts.warning};0;;0`,
    `notice=${counts.notice};;;0`,
    `skipped=${counts.skipped};;;0`,
    `ignored=${counts.ignored};;;0`,
    `checks=${counts.checks};;;0`,
    `time=${(durationMs / 1000).toFixed(3)}s;;;0`,
  ];
  return pluginLine(wordOf(diagnosis, isStrict), text, figures);
}
