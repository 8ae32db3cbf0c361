import type { Direction } from '../../../adapters/migration-engine/engine.js';
import { findLeftBehind } from '../../../adapters/postgres/left-behind.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { Reporting } from '../../../base/reporting.js';
import { isExaminedAtBuild } from '../files/examined-at-build.js';
import type { MigrationFile } from '../files/migration-file.js';
import { labelOf } from '../files/source.js';
import { sectionOf } from './section.js';

/**
 * Words without which a migration leaves nothing in its session, unless a function does. Asking costs the server a
 * millisecond, which a thousand small files would notice; the session starts again in any case.
 */
const MAY_LEAVE =
  /\b(?:set_config|set|reset|temp|temporary|pg_temp|listen|prepare|hold|execute|perform|call)\b|advisory/i;

/** A test looks at the bundled ones, which therefore are not asked about again. */
export function mayLeave(file: MigrationFile, direction: Direction): boolean {
  return MAY_LEAVE.test(sectionOf(file, direction).sql) && !isExaminedAtBuild(file);
}

/** Warns of what a migration has left in the session: its author may count on it, and the next file does not see it. */
export async function tellLeftBehind(session: Session, file: MigrationFile, { onWarning }: Reporting): Promise<void> {
  const found = await findLeftBehind(session, session.settings);
  if (found.length === 0) return;
  onWarning(
    `migration ${labelOf(file)} left in its session: ${found.join(', ')}; the next migration does not have it (for settings: SET LOCAL)`,
  );
}
