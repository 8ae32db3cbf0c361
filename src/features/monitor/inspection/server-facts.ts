import { isAisecError } from '../../../base/errors.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { inReadOnly } from './read-only.js';
import type { PageServer } from '../page/report-data.js';

interface ReplicaRow {
  readonly name: string;
  readonly state: string | null;
  readonly is_synchronous: boolean | null;
  readonly behind_bytes: string | null;
  readonly behind_ms: string | null;
}

/** Replicas and extensions, for the page. What a role may not see of the replicas, a check reports. */
export async function readServerFacts(session: Session): Promise<PageServer> {
  const { rows: versions } = await inReadOnly(session, () =>
    session.query<{ extensions: PageServer['extensions'] }>(sqlFile('doctor/versions')),
  );
  const extensions = versions[0]?.extensions ?? [];
  if (session.info.kind !== 'server') return { replicas: null, extensions };
  try {
    const { rows } = await inReadOnly(session, () => session.query<ReplicaRow>(sqlFile('monitor/replicas')));
    const replicas = rows.map((row) => ({
      name: row.name,
      state: row.state,
      isSynchronous: row.is_synchronous,
      behindBytes: row.behind_bytes === null ? null : Number(row.behind_bytes),
      behindMs: row.behind_ms === null ? null : Number(row.behind_ms),
    }));
    return { replicas, extensions };
  } catch (error) {
    if (isAisecError(error, 'PRIVILEGE_MISSING', 'DATABASE_FAILED')) return { replicas: null, extensions };
    throw error;
  }
}
