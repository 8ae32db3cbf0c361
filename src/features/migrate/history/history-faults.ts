import { aisecCommand } from '../../../base/package/aisec-command.js';
import { AisecError } from '../../../base/errors.js';
import type { MigrationFile } from '../files/migration-file.js';
import { labelOf } from '../files/source.js';
import type { MigrationStatus } from './compare.js';
import { disagreements } from './unpaired.js';

/** What to do about each kind of fault. */
export const ADVICE = {
  edited:
    'Put the file back as it was applied, and make the change in a new migration. If the edit is right: aisec migrate repair NAME --reason TEXT',
  missing:
    'Bring the file back (it is in version control), or use the directory this database was built from. If it is gone for good: aisec migrate repair NAME --reason TEXT',
  newer:
    'Deploy the version that has the file, or continue with this one, if it can work on the newer schema: --allow-newer',
  foreign:
    'Give the other program a history table of its own: aisec migrate repair --dry-run. Or give aisec another schema: --schema NAME',
  renamed: 'Give the file its old name back, or record the new one: aisec migrate repair NAME --reason TEXT',
  late: 'Give it a number after the newest applied one, or run with --allow-late if it does not depend on the order.',
} as const;

type Fault = keyof typeof ADVICE;

export function isFault(status: MigrationStatus): status is MigrationStatus & { state: Fault } {
  return status.state in ADVICE;
}

/** The fault in a sentence without its full stop. */
export function describeFault(status: MigrationStatus & { state: Fault }): string {
  switch (status.state) {
    case 'edited':
      return `${labelOf(status)} was edited after it was applied (recorded ${status.entry?.checksum?.slice(0, 12) ?? ''}, file ${status.file?.checksum.slice(0, 12) ?? ''})`;
    case 'missing':
      return `${labelOf(status)} was applied, and its file is missing`;
    case 'newer':
      return `${labelOf(status)} was applied by a newer version, and this one does not have it`;
    case 'foreign':
      return `${labelOf(status)} was recorded by another program, and no file has its name`;
    case 'renamed':
      return `${labelOf(status)} was applied, and its file is now called ${status.renamedTo ?? ''}`;
    case 'late':
      return `${labelOf(status)} is not applied, but a later migration is`;
  }
}

/** Before the other faults: the repair that they may need starts from tables that agree. */
export function refuseUnpaired(statuses: readonly MigrationStatus[], schema: string): void {
  const [first, ...others] = disagreements(statuses).map(({ message }) => message);
  if (first === undefined) return;
  throw new AisecError('MIGRATION_HISTORY', `the two tables of the history disagree: ${first}`, {
    detail: `${others.map((message) => `Also: ${message}.\n`).join('')}No changes were made.`,
    hint: `Restore what is lost: ${aisecCommand('migrate repair', schema)}`,
  });
}

export interface FaultOptions {
  readonly schema: string;
  readonly allowsLate: boolean;
  /** A command that has no --allow-newer, such as `down`, leaves it undefined. */
  readonly allowsNewer?: boolean | undefined;
}

/**
 * Refuses to continue when files and history disagree. Each kind of fault has its own message and hint.
 *
 * @throws AisecError MIGRATION_HISTORY.
 */
export function refuseHistoryFaults(
  statuses: readonly MigrationStatus[],
  { schema, allowsLate, allowsNewer }: FaultOptions,
): void {
  refuseUnpaired(statuses, schema);
  const faults = statuses
    .filter(isFault)
    .filter(({ state }) => !(allowsLate && state === 'late') && !(allowsNewer === true && state === 'newer'));
  const [first] = faults;
  if (first === undefined) return;
  const others = faults.slice(1).map(describeFault);
  throw new AisecError('MIGRATION_HISTORY', `migration ${describeFault(first)}`, {
    detail: others.length === 0 ? undefined : `Also:\n  ${others.join('\n  ')}`,
    hint:
      first.state === 'newer' && allowsNewer === undefined
        ? 'Deploy the version that has the file.'
        : ADVICE[first.state],
    position:
      first.state === 'edited' && first.file !== undefined
        ? firstChange(first.file, first.entry?.content ?? '')
        : undefined,
  });
}

/** The first line that differs from what was applied. */
function firstChange(
  file: MigrationFile,
  recorded: string,
): { file: string; line: number; excerpt: string } | undefined {
  const before = recorded.split('\n').map((line) => line.trimEnd());
  const now = file.content.split('\n').map((line) => line.trimEnd());
  const index = now.findIndex((line, position) => line !== before[position]);
  const line = index === -1 ? now.length : index + 1;
  return { file: file.path, line, excerpt: now[line - 1] ?? '' };
}

/** Whether two migration texts are the same SQL, token by token; loads the parser. */
export async function isSameSql(file: MigrationFile, recorded: string): Promise<boolean> {
  const { sqlTokens } = await import('../../../adapters/sql-parser/statements.js');
  try {
    const [now, before] = await Promise.all([sqlTokens(file.content), sqlTokens(recorded)]);
    return now.length === before.length && now.every((token, index) => token === before[index]);
  } catch {
    return false;
  }
}
