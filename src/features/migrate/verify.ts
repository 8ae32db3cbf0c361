import type { Session } from '../../adapters/postgres/session.js';
import { labelOf, type SourcedName } from './files/source.js';
import { compareWithDatabase, type MigrateSettings } from './prepare.js';

export interface VerifyFinding extends SourcedName {
  readonly problem: 'edited' | 'missing' | 'renamed';
  readonly recordedChecksum: string | null;
  readonly fileChecksum: string | null;
  readonly renamedTo: string | null;
}

export interface VerifyResult {
  readonly database: string;
  readonly schema: string;
  /** Applied migrations whose file was compared. */
  readonly verified: number;
  /** Applied by node-pg-migrate itself, so without a recorded checksum. */
  readonly withoutChecksum: readonly string[];
  readonly findings: readonly VerifyFinding[];
}

/** Compares every applied migration's file with the checksum recorded when it ran. Reads only. */
export async function verifyMigrations(session: Session, settings: MigrateSettings): Promise<VerifyResult> {
  const { statuses } = await compareWithDatabase(session, settings);
  const findings = statuses.flatMap(({ source, name, state, entry, file, renamedTo }) =>
    state === 'edited' || state === 'missing' || state === 'renamed'
      ? [
          {
            source,
            name,
            problem: state,
            recordedChecksum: entry?.checksum ?? null,
            fileChecksum: file?.checksum ?? null,
            renamedTo: renamedTo ?? null,
          },
        ]
      : [],
  );
  const applied = statuses.filter((status) => status.entry !== undefined && status.state === 'applied');
  const withoutChecksum = applied.filter((status) => status.entry?.checksum === null).map(labelOf);
  return {
    database: session.info.label,
    schema: settings.schema,
    verified: applied.length - withoutChecksum.length,
    withoutChecksum,
    findings,
  };
}
