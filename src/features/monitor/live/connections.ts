import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { LiveCheck } from './check.js';
import { levelOf, scaled } from './thresholds.js';

interface ConnectionRow {
  readonly used: number;
  readonly usable: number;
}

/** Oldest first, of those that do nothing and hold nothing: it is safe to end them. */
const END_IDLE =
  "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and state = 'idle' and state_change < now() - interval '10 minutes';";

export const CONNECTIONS: LiveCheck = {
  id: 'connections-used',
  area: 'live',
  severity: 'warning',
  title: 'connections near the limit',
  look: async ({ session, thresholds }) => {
    const { rows } = await session.query<ConnectionRow>(sqlFile('monitor/connections-used'));
    const { used = 0, usable = 1 } = rows[0] ?? {};
    const severity = levelOf((used / usable) * 100, thresholds.connections);
    return {
      faults: [
        severity && {
          object: 'max_connections',
          severity,
          message: `${used} of ${usable} connections are in use`,
          impact: 'when none is left, services and cron jobs are refused',
          fix: END_IDLE,
        },
      ],
      gauges: [
        {
          name: 'aisec_connections',
          help: 'Sessions of the server, of all databases.',
          value: used,
          threshold: scaled(thresholds.connections, usable / 100),
        },
        { name: 'aisec_connections_usable', help: 'Sessions that ordinary roles may open.', value: usable },
      ],
    };
  },
};
