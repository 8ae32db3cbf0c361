import { AisecError } from '../../../base/errors.js';
import type { OptionSpec } from '../../command.js';
import { countOption } from '../../options.js';

/** Reads a recall: `0.95`. @throws AisecError USAGE. */
function recallOption(text: string): number {
  const recall = Number(text);
  if (text.trim() !== '' && recall > 0 && recall <= 1) return recall;
  throw new AisecError('USAGE', `invalid recall "${text}"`, {
    hint: 'Give a number above 0, at most 1, such as 0.95.',
  });
}

/** Of every command that measures what searches find. */
export interface MeasuringOptions {
  readonly sample: number;
  readonly recall: number;
}

export const RECALL_OPTION: OptionSpec = {
  flags: '--recall <share>',
  description: 'share of the 10 nearest rows that a search is to find',
  default: '0.95',
  parse: recallOption,
};

/** Rows that are searched for. */
export function sampleOption(least: number, preset: string): OptionSpec {
  return {
    flags: '--sample <n>',
    description: `rows of the table to measure with${least === 0 ? '; 0 measures nothing' : ''}`,
    default: preset,
    parse: countOption(least),
  };
}

const UNITS: Readonly<Record<string, number>> = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/** Reads `512MB`, `2GB`. @throws AisecError USAGE. */
export function memoryOption(text: string): number {
  const [, amount, unit] = /^(\d+)\s*(kB|MB|GB)$/i.exec(text.trim()) ?? [];
  const bytes = Number(amount) * (UNITS[unit?.toLowerCase() ?? ''] ?? Number.NaN);
  // The limits of maintenance_work_mem on a 64-bit server.
  if (bytes >= 1024 ** 2 && bytes < 2 ** 31 * 1024) return bytes;
  throw new AisecError('USAGE', `invalid memory size "${text}"`, { hint: 'Give it as 512MB or 2GB, from 1MB on.' });
}

/** `94.8 %`. */
export function shareText(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
