import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { LiveCheck, LiveFault } from './check.js';
import { readHolders, type Holder } from './holders.js';
import { inDatabase } from './names.js';
import { levelOf, scaled, type Thresholds } from './thresholds.js';

const LAST_ID = 2 ** 31;

interface AgeRow {
  readonly kind: 'database' | 'table';
  readonly name: string;
  readonly is_here: boolean;
  readonly allows_connections: boolean;
  readonly xid_age: number;
  readonly multixact_age: number;
}

const oldestId = ({ xid_age: xids, multixact_age: multixacts }: AgeRow): number => Math.max(xids, multixacts);
const percent = (age: number): number => (age / LAST_ID) * 100;

/** `here` is the database of the session, where psql returns to: none can be closed from within. */
function vacuumOf({ kind, name, is_here: isHere, allows_connections: isOpen }: AgeRow, here: string): string {
  if (kind === 'table') return `vacuum (freeze) ${name};`;
  const vacuum = inDatabase(name, isHere, 'vacuum (freeze);');
  if (isOpen) return vacuum;
  const allow = `alter database ${quoteIdentifier(name)} allow_connections`;
  return `${allow} true;\n${vacuum}\n${inDatabase(here, false, `${allow} false;`)}`;
}

/** Of this database, its oldest tables are named; the others are one finding together, named after the oldest of them. */
function faultOf(
  databases: readonly AgeRow[],
  tables: readonly AgeRow[],
  holder: Holder | undefined,
  here: string,
  thresholds: Thresholds,
): LiveFault | undefined {
  const late = databases
    .filter((row) => levelOf(percent(oldestId(row)), thresholds.wraparound) !== undefined)
    .toSorted((one, other) => oldestId(other) - oldestId(one));
  const named = tables.filter((row) => levelOf(percent(oldestId(row)), thresholds.wraparound) !== undefined);
  const [worst] = late.length > 0 ? late : named;
  if (worst === undefined) return undefined;
  const severity = levelOf(percent(oldestId(worst)), thresholds.wraparound) ?? 'warning';
  const ids = worst.xid_age >= worst.multixact_age ? 'transaction ids' : 'multixact ids';
  const which =
    named.length === 0 || late.length === 0
      ? ''
      : `; the oldest tables: ${named
          .slice(0, 3)
          .map(({ name }) => name)
          .join(', ')}${named.length > 3 ? ` and ${named.length > 19 ? 'more' : `${named.length - 3} more`}` : ''}`;
  const others =
    Math.max(late.length, worst.kind === 'table' ? named.length : 0) > 1
      ? ` (and ${(late.length > 0 ? late : named).length - 1} more)`
      : '';
  // Vacuum freezes nothing that this one may still have to see, however often it runs.
  const isHeld = holder !== undefined && worst.xid_age >= worst.multixact_age && holder.xidAge >= worst.xid_age / 2;
  const cause = isHeld ? `; vacuum cannot freeze them while ${holder.text} holds it back` : '';
  const vacuums = (late.length > 0 ? late : named).map((row) => vacuumOf(row, here)).join('\n');
  return {
    object: worst.name,
    severity,
    message: `${worst.kind} ${worst.name}${others} has used ${Math.round(percent(oldestId(worst)))} % of its ${ids}${which}${cause}`,
    impact: 'at 100 % the server accepts no more writes until vacuum has frozen the old rows',
    fix: isHeld ? (holder.fix === null ? null : `${holder.fix}\n${vacuums}`) : vacuums,
  };
}

export const TRANSACTION_IDS: LiveCheck = {
  id: 'transaction-ids',
  area: 'wraparound',
  severity: 'warning',
  title:
    'databases whose transaction or multixact ids run out, with the oldest tables and with what keeps them from being frozen',
  look: async ({ session, thresholds }) => {
    const { rows } = await session.query<AgeRow>(sqlFile('monitor/transaction-ages'));
    const databases = rows.filter(({ kind }) => kind === 'database');
    const tables = rows.filter(({ kind }) => kind === 'table');
    const here = databases.filter((row) => row.is_here);
    const [holder] = await readHolders(session);
    // Of the server, and not one a database: those of others come and go.
    const oldest = (read: (row: AgeRow) => number): number => Math.max(0, ...databases.map(read));
    return {
      faults: [
        faultOf(here, tables, holder, session.info.databaseName, thresholds),
        faultOf(
          databases.filter((row) => !row.is_here),
          [],
          holder,
          session.info.databaseName,
          thresholds,
        ),
      ],
      gauges: [
        {
          name: 'aisec_transaction_id_age',
          help: 'Transactions since the oldest of any database that is not frozen; writes end at 2^31.',
          value: oldest((row) => row.xid_age),
          threshold: scaled(thresholds.wraparound, LAST_ID / 100),
        },
        {
          name: 'aisec_multixact_id_age',
          help: 'Multixacts since the oldest of any database that is not frozen; writes end at 2^31.',
          value: oldest((row) => row.multixact_age),
          threshold: scaled(thresholds.wraparound, LAST_ID / 100),
        },
      ],
    };
  },
};
