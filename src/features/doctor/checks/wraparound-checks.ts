import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { formatDurationMs } from '../../../base/duration.js';
import { quoteLiteral } from '../../../base/identifier.js';
import type { Check, Fault, GrantFor, Outcome, Subject } from '../check.js';
import { plainName } from '../names.js';
import { onServer } from './server-only.js';

const WARNING_SHARE = 0.5;
const CRITICAL_SHARE = 0.75;
const LAST_ID = 2 ** 31;
const HELD_BACK_AFTER_SECONDS = 3600;

interface AgeRow {
  readonly kind: 'database' | 'table';
  readonly name: string;
  readonly xid_age: number;
  readonly multixact_age: number;
}

interface HolderRow {
  readonly kind: 'session' | 'prepared';
  readonly name: string;
  readonly state: string | null;
  readonly application_name: string | null;
  readonly age_seconds: number;
}

async function examineAges({ session }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<AgeRow>(sqlFile('doctor/transaction-ages'), [WARNING_SHARE]);
  return rows.map(({ kind, name, xid_age: xids, multixact_age: multixacts }) => {
    const share = Math.max(xids, multixacts) / LAST_ID;
    const ids = xids >= multixacts ? 'transaction ids' : 'multixact ids';
    return {
      object: kind === 'table' ? name : plainName(name),
      severity: share >= CRITICAL_SHARE ? 'critical' : 'warning',
      what: `${kind} ${kind === 'table' ? name : plainName(name)} has rows that are ${Math.round(share * 100)} % of the way to the end of ${ids} old`,
      why: 'before they reach it the server takes no writes any more, until VACUUM has been through',
      mend:
        kind === 'table'
          ? `vacuum (freeze) ${name};`
          : `vacuum (freeze); -- in database ${plainName(name)}, by a superuser`,
    };
  });
}

async function examineHeldBack({ session }: Subject): Promise<Outcome> {
  const { rows: rights } = await session.query<{ sees_all: boolean }>(
    `select pg_catalog.pg_has_role('pg_read_all_stats', 'usage') as sees_all`,
  );
  if (rights[0]?.sees_all !== true)
    return { skipped: 'the transactions of other roles are hidden from this one', lacksGrant: true };
  const { rows } = await session.query<HolderRow>(sqlFile('doctor/held-back'), [HELD_BACK_AFTER_SECONDS]);
  return rows.map(({ kind, name, state, application_name: application, age_seconds: seconds }) => {
    const age = formatDurationMs(seconds * 1000);
    const who = application === null || application === '' ? '' : ` (${application})`;
    return {
      object: kind === 'session' ? `pid ${name}` : name,
      what:
        kind === 'session'
          ? `session ${name}${who} has been in a transaction for ${age}${state === null ? '' : `, now ${state}`}`
          : `prepared transaction ${name} of ${application ?? ''} has waited for ${age}`,
      why: 'VACUUM keeps every row that died since, and the locks it holds stay held',
      mend:
        kind === 'session'
          ? `select pg_terminate_backend(${name});`
          : `rollback prepared ${quoteLiteral(name)}; -- or commit prepared`,
    };
  });
}

const GRANT: GrantFor = (_schema, role) => `grant pg_read_all_stats to ${role};`;

export const WRAPAROUND_CHECKS: readonly Check[] = [
  {
    id: 'transaction-ids',
    area: 'wraparound',
    severity: 'warning',
    title: `databases and tables past ${WARNING_SHARE * 100} % of the transaction or multixact ids; critical past ${CRITICAL_SHARE * 100} %`,
    grant: null,
    examine: examineAges,
  },
  {
    id: 'vacuum-held-back',
    area: 'wraparound',
    severity: 'warning',
    title: 'sessions in a transaction and prepared transactions older than an hour',
    grant: GRANT,
    examine: onServer(examineHeldBack),
  },
];
