import { AisecError, type ErrorCode } from './errors.js';
import type { Finding } from './finding.js';

function consequences({ impact, fix }: Finding): readonly string[] {
  return [impact, ...(fix === null ? [] : [`fix: ${fix.replaceAll('\n', '\n         ')}`])];
}

/** `role "app" is missing`, and below it what follows from it and its fix, for each finding. */
function describeAll(findings: readonly Finding[]): string {
  return findings.map((finding) => [finding.message, ...consequences(finding)].join('\n    ')).join('\n  ');
}

/**
 * Ends a command before it changes anything, naming all that prevents it at once.
 *
 * @param what what cannot be done: `cannot restore to "app"`
 * @throws AisecError `code` when there is a finding.
 */
export function refuseFindings(code: ErrorCode, what: string, findings: readonly Finding[]): void {
  const [first, second] = findings;
  if (first === undefined) return;
  const isOne = second === undefined;
  throw new AisecError(code, `${what}: ${isOne ? first.message : `${findings.length} findings`}`, {
    detail: isOne ? consequences(first).join('\n  ') : describeAll(findings),
    hint: `No changes were made. Fix ${isOne ? 'it' : 'all of them'} and run the command again.`,
  });
}
