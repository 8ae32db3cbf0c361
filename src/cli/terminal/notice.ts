import type { Output } from './output.js';

/** What the server says beside its answers. */
export function showNotice(
  output: Output,
  notice: {
    readonly severity: string;
    readonly message: string;
    readonly detail?: string | undefined;
    readonly hint?: string | undefined;
  },
): void {
  const { severity, message, detail, hint } = notice;
  // Of Citus, for each view of a table that is not distributed, or not yet; it is not translated.
  if (detail?.endsWith('will be created only locally') === true) return;
  const more = [detail && `detail: ${detail.trimEnd()}`, hint && `hint: ${hint}`].filter(
    (line) => line !== undefined && line !== '',
  );
  // What libpq adds when it does not reach a node of Citus.
  const text = [message.replace(/\n\tIs the server running[^\n]*/, ''), ...more].join('\n');
  if (severity === 'WARNING') output.warning(text);
  else output.note(`${severity.toLowerCase()}: ${text}`);
}
