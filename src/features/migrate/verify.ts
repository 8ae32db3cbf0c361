import type { Session } from '../../adapters/postgres/session.js';
import { missingFrom } from './history/unpaired.js';
import { labelOf, type SourcedName } from './files/source.js';
import { compareWithDatabase, type MigrateSettings } from './prepare.js';

export interface VerifyFinding extends SourcedName {
  readonly problem: 'edited' | 'missing' | 'renamed' | 'unpaired';
  /** For an unpaired one: the table of the history that lacks it. */
  readonly missingFrom: string | null;
  readonly recordedChecksum: string | null;
  readonly fileChecksum: string | null;
  readonly renamedTo: string | null;
}

export interface VerifyResult {
  readonly database: string;
  readonly schema: string;
  /** Applied migrations whose file was compared. */
  readonly verified: number;
  /** Only in node-pg-migrate's table of the history, so without a recorded checksum. */
  readonly withoutChecksum: readonly string[];
  readonly findings: readonly VerifyFinding[];
}

/** Compares every applied migration's file with the checksum recorded when it ran. Reads only. */
export async function verifyMigrations(session: Session, settings: MigrateSettings): Promise<VerifyResult> {
  const { statuses } = await compareWithDatabase(session, settings);
  const findings = statuses.flatMap((status) => {
    const { source, name, state, entry, file, renamedTo } = status;
    return state === 'edited' || state === 'missing' || state === 'renamed' || state === 'unpaired'
      ? {
          source,
          name,
          problem: state,
          missingFrom: missingFrom(status),
          recordedChecksum: entry?.checksum ?? null,
          fileChecksum: file?.checksum ?? null,
          renamedTo: renamedTo ?? null,
        }
      : [];
  });
  const applied = statuses.filter((status) => status.entry !== undefined && status.state === 'applied');
  const withoutChecksum = statuses
    .filter(({ entry, file }) => entry?.checksum === null && file !== undefined)
    .map(labelOf);
  return {
    database: session.info.label,
    schema: settings.schema,
    verified: applied.length,
    withoutChecksum,
    findings,
  };
}
