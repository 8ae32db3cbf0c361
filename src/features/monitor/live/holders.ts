import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { formatCount } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { quoteLiteral } from '../../../base/identifier.js';
import type { LiveCheck } from './check.js';
import { inDatabase, whose } from './names.js';
import { READ_ALL_STATS, skipUnlessAllIsSeen } from './privileges.js';
import { levelOf, worstOf, type Thresholds } from './thresholds.js';

interface HolderRow {
  readonly kind: 'session' | 'prepared' | 'slot' | 'standby';
  readonly name: string;
  readonly database: string | null;
  readonly isHere: boolean;
  readonly isActive: boolean;
  readonly isLogical: boolean;
  readonly role: string | null;
  readonly application: string | null;
  readonly state: string | null;
  readonly xidAge: number;
  readonly ageMs: number | null;
}

/** What vacuum has to leave alone, from how many transactions ago on. */
export interface Holder extends HolderRow {
  /** `pid 4711`, `prepared transaction "x"`, …: short, for a list. */
  readonly object: string;
  /** What it is and since when, as the subject of a sentence. */
  readonly text: string;
  /** Null when a statement of this server cannot end it. */
  readonly fix: string | null;
}

/** For a standby: the query there that needs the old rows. */
const END_OLDEST_QUERY =
  'select pg_terminate_backend(pid) from pg_stat_activity where pg_is_in_recovery() and backend_xmin is not null and pid <> pg_backend_pid() order by age(backend_xmin) desc limit 1;';

function describe(row: HolderRow): Pick<Holder, 'object' | 'text' | 'fix'> {
  const { name, kind, database, ageMs } = row;
  const since = ageMs === null ? '' : ` for ${formatDurationMs(ageMs)}`;
  if (kind === 'session')
    return {
      object: `pid ${name}`,
      text: `session ${name}${whose(row)}, in a transaction of database ${database ?? '?'}${since}${row.state === null ? '' : ` and now ${row.state}`},`,
      fix: `select pg_terminate_backend(${name});`,
    };
  if (kind === 'prepared')
    return {
      object: name,
      text: `prepared transaction ${name} of ${row.role ?? '?'} in database ${database ?? '?'}, open${since},`,
      fix: inDatabase(database, row.isHere, `rollback prepared ${quoteLiteral(name)};`),
    };
  if (kind === 'standby')
    return {
      object: `standby ${name}`,
      text: `a query on standby ${name} (hot_standby_feedback)`,
      fix: `-- on standby ${name}:\n${END_OLDEST_QUERY}`,
    };
  if (!row.isActive)
    return {
      object: `slot ${name}`,
      text: `replication slot ${name}, which no process uses,`,
      fix: `select pg_drop_replication_slot(${quoteLiteral(name)});`,
    };
  return {
    object: `slot ${name}`,
    text: row.isLogical
      ? `replication slot ${name}, whose subscriber is behind,`
      : `a query on the standby of replication slot ${name} (hot_standby_feedback)`,
    fix: row.isLogical ? null : `-- on the standby that uses replication slot ${name}:\n${END_OLDEST_QUERY}`,
  };
}

/** All that hold vacuum back on the server, the oldest first. Sessions of other roles are seen with pg_read_all_stats only. */
export async function readHolders(session: Session): Promise<readonly Holder[]> {
  const { rows } = await session.query<HolderRow>(sqlFile('monitor/xmin-holders'));
  return rows.map((row) => ({ ...row, ...describe(row) }));
}

/** How bad it is that it holds vacuum back; undefined: it does not for long. */
export function levelOfHolder({ xidAge, ageMs }: Holder, thresholds: Thresholds): 'critical' | 'warning' | undefined {
  return worstOf(
    levelOf(xidAge, thresholds['horizon-ids']),
    ageMs === null ? undefined : levelOf(ageMs, thresholds['horizon-time']),
  );
}

const KINDS = ['session', 'prepared', 'slot', 'standby'] as const;

export const HELD_BACK: LiveCheck = {
  id: 'vacuum-held-back',
  area: 'wraparound',
  severity: 'warning',
  title:
    'what holds vacuum back for longest (xmin horizon): a session, prepared transaction, replication slot or standby',
  grant: READ_ALL_STATS,
  look: async ({ session, thresholds }) => {
    const skip = await skipUnlessAllIsSeen(session, 'the transactions');
    if (skip !== undefined) return skip;
    const holders = await readHolders(session);
    const late = holders.flatMap((holder) => {
      const severity = levelOfHolder(holder, thresholds);
      return severity === undefined ? [] : [{ ...holder, severity }];
    });
    const [oldest, ...others] = late;
    const next = others.slice(0, 3).map(({ object }) => object);
    const more = others.length > 3 ? ` and ${others.length - 3} more` : '';
    const after = next.length === 0 ? '' : `; after it come ${next.join(', ')}${more}`;
    return {
      faults: [
        oldest === undefined
          ? undefined
          : {
              object: oldest.object,
              severity: oldest.severity,
              message: `${oldest.text} holds vacuum back by ${formatCount(oldest.xidAge)} transactions${after}`,
              impact:
                'vacuum keeps every row that died since and cannot freeze: tables grow, queries slow down, and transaction ids run out',
              fix: oldest.fix,
            },
      ],
      gauges: KINDS.flatMap((kind) => {
        const ofKind = holders.filter((holder) => holder.kind === kind);
        return [
          {
            name: 'aisec_xmin_horizon_age',
            help: 'Transactions since the oldest that vacuum must respect, by what holds it; 0 when nothing of the kind does.',
            labels: { kind },
            value: Math.max(0, ...ofKind.map(({ xidAge }) => xidAge)),
          },
          {
            name: 'aisec_xmin_horizon_seconds',
            help: 'Since when the oldest of a kind holds vacuum back; 0 when nothing of the kind does, or it has no age.',
            labels: { kind },
            value: Math.max(0, ...ofKind.map(({ ageMs }) => ageMs ?? 0)) / 1000,
          },
        ];
      }),
    };
  },
};
