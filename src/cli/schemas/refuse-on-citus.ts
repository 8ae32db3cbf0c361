import { AisecError } from '../../base/errors.js';
import type { TenantSession } from '../../features/tenant/index.js';

/**
 * What was tried in a schema that Citus has distributed (docs/scale.md). The tables that the coordinator has there are empty:
 * whatever reads sizes or counters of them, or works on a row by its place, would be wrong without a word. So all other
 * commands are refused.
 */
const WORKS: ReadonlySet<string> = new Set([
  'tenant distribute',
  'tenant undistribute',
  'tenant restore',
  'backup',
  'migrate up',
  'migrate status',
  'migrate check',
  'migrate verify',
  'partitions ensure',
  'partitions check',
  'partitions list',
  'archive',
  'archive list',
  'monitor tables',
  'monitor partitions',
  'monitor record',
  'monitor tenants',
  'seed demo',
  'doctor',
]);

/** @throws AisecError DATABASE_UNSUPPORTED for a command that was not tried in a distributed schema, or is wrong there. */
async function refuseOnCitus(session: TenantSession, command: string, schema: string): Promise<void> {
  if (session.info.runsCitus !== true || WORKS.has(command)) return;
  const { readCitus } = await import('../../features/tenant/index.js');
  const citus = await readCitus(session, schema);
  if (citus?.is_distributed !== true || !citus.has_relations) return;
  throw new AisecError(
    'DATABASE_UNSUPPORTED',
    `aisec ${command} does not work in a schema that Citus has distributed`,
    {
      detail: `The tables of "${schema}" are empty on this node; their rows lie on a worker.`,
      hint: 'See docs/scale.md for what works there.',
    },
  );
}

/** Looks before a command does. */
export function unlessOnCitus<Result>(
  command: string,
  schema: string,
  use: (session: TenantSession) => Promise<Result>,
): (session: TenantSession) => Promise<Result> {
  return async (session) => {
    await refuseOnCitus(session, command, schema);
    return use(session);
  };
}
