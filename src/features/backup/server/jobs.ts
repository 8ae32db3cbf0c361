import type { Session } from '../../../adapters/postgres/session.js';
import type { BackupTools } from './tools.js';

export interface ChosenJobs {
  readonly jobs: number;
  /** Why it is one where more were asked for. */
  readonly warning: string | undefined;
}

/** A backup in the night must not fail for what only makes it faster. @param reason a full sentence */
export function unused(jobs: number, reason: string): string {
  return `--jobs ${jobs} is not used, one session dumps all tables: ${reason}`;
}

function reasonFor({ info }: Session, { pgDump, hasZstd, hasLz4 }: BackupTools): string | undefined {
  if (info.runsCitus === true) return 'Citus has no snapshot that several sessions share.';
  if (hasZstd || hasLz4) return undefined;
  return `${pgDump.path} was built without zstd and lz4, and with gzip several jobs cannot write one file.`;
}

/** How many sessions are to dump the rows. */
export function chooseJobs(session: Session, tools: BackupTools, wanted: number): ChosenJobs {
  const reason = wanted === 1 ? undefined : reasonFor(session, tools);
  return reason === undefined ? { jobs: wanted, warning: undefined } : { jobs: 1, warning: unused(wanted, reason) };
}
