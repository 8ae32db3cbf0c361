import { isAisecError } from '../../../base/errors.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { ReplicaRow } from '../live/replicas.js';
import { inReadOnly } from './read-only.js';
import type { PageServer } from '../page/report-data.js';

/** Replicas and extensions, for the page. What a role may not see of the replicas, a check reports. */
export async function readServerFacts(session: Session): Promise<PageServer> {
  const { rows: versions } = await inReadOnly(session, () =>
    session.query<{ extensions: PageServer['extensions'] }>(sqlFile('doctor/versions')),
  );
  const extensions = versions[0]?.extensions ?? [];
  if (session.info.kind !== 'server') return { replicas: null, extensions };
  try {
    const { rows } = await inReadOnly(session, () => session.query<ReplicaRow>(sqlFile('monitor/replicas')));
    return { replicas: rows, extensions };
  } catch (error) {
    if (isAisecError(error, 'PRIVILEGE_MISSING', 'DATABASE_FAILED')) return { replicas: null, extensions };
    throw error;
  }
}
