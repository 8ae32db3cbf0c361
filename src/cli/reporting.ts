import type { Reporting } from '../base/reporting.js';
import type { Context } from './context.js';

/** Progress becomes the live line, warnings lines of their own. */
export function reportingTo({ output, progress }: Pick<Context, 'output' | 'progress'>): Reporting {
  return {
    onProgress: progress.report,
    onWarning: (text) => output.warning(text),
    onDetail: (text) => output.detail(text),
  };
}
