import { SETTINGS } from '../config/settings.js';
import type { Thresholds } from '../features/monitor/checks.js';
import type { OptionSpec } from './command.js';
import type { Context } from './context.js';

export const THRESHOLDS_OPTION: OptionSpec = {
  flags: '--thresholds <list>',
  description: `WARNING:CRITICAL values of checks, with commas: blocked-time=30s:5min,replica-bytes=64MB:1GB (env: ${SETTINGS.thresholds.env})`,
};

/** From the option, or the setting of the same name. @throws AisecError USAGE for an unknown name or an invalid value. */
export async function thresholdsOf({ config }: Context): Promise<Thresholds> {
  const { parseThresholds } = await import('../features/monitor/live/thresholds.js');
  const source = config.flags.thresholds === undefined ? SETTINGS.thresholds.env : '--thresholds';
  return parseThresholds(config.thresholds ?? '', source);
}
