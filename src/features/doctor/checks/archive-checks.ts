import { isGoneHere } from '../../../adapters/files/gone.js';
import { countText, listed } from '../../../base/count.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { aisecCommand, shellWord } from '../../../base/package/aisec-command.js';
import { subtractAge } from '../../../base/age.js';
import { formatMonths, monthEndMs, type Month } from '../../../base/month.js';
import { readColumnDifferences, type ColumnDifference } from '../../messages/checks.js';
import type { Check, Fault, Outcome, Subject } from '../check.js';
import { grantee, qualified } from '../names.js';
import { partitionLayout } from './partition-checks.js';
import { nameInSql } from '../../../base/identifier.js';

interface AccessRow {
  readonly policies_missing: readonly string[];
  readonly policies_more: readonly string[];
  readonly grants_more: readonly { readonly grantee: string; readonly privilege: string }[];
}

/** What `aisec archive` leaves in messages, and a week for the job to come by. */
const RETENTION = { months: 6, days: 7 };

async function readAccess({ session, schema }: Subject): Promise<AccessRow> {
  const { rows } = await session.query<AccessRow>(sqlFile('doctor/archive-access'), [schema]);
  return rows[0] ?? { policies_missing: [], policies_more: [], grants_more: [] };
}

async function examineAccess(subject: Subject): Promise<readonly Fault[]> {
  const { policies_missing: missing, policies_more: more, grants_more: grants } = await subject.once(readAccess);
  const archive = qualified(subject.schema, 'messages_archive');
  const drop = more.map((name) => `drop policy ${nameInSql(name)} on ${archive};`);
  const faults: Fault[] = [];
  if (missing.length > 0 || more.length > 0)
    faults.push({
      object: 'policies',
      message:
        'the policies of messages_archive are not those of messages' +
        `${missing.length > 0 ? `; it lacks what ${listed(missing)} says` : ''}${more.length > 0 ? `; it has ${listed(more)} of its own` : ''}`,
      impact:
        'a message is open to others, or invisible to its owner, once its month is archived; psql lists the policies with \\d messages',
      fix: missing.length > 0 ? null : drop.join('\n'),
    });
  for (const role of new Set(grants.map((grant) => grant.grantee))) {
    const rights = grants.filter((grant) => grant.grantee === role).map(({ privilege }) => privilege.toLowerCase());
    faults.push({
      object: `grants/${nameInSql(role)}`,
      message: `${role} may ${rights.join(', ')} on messages_archive and not on messages`,
      impact: 'the archive has the same messages; what is shut there is open here',
      fix: `revoke ${rights.join(', ')} on table ${archive} from ${grantee(role)};`,
    });
  }
  return faults;
}

function alike({ name, onMessages, onArchive, addition }: ColumnDifference, schema: string): string | null {
  // Only a person knows which of two types is the right one.
  if (addition === null || (onMessages !== null && onArchive !== null)) return null;
  const table = qualified(schema, onArchive === null ? 'messages_archive' : 'messages');
  return `alter table ${table} add column ${name} ${addition};`;
}

async function examineColumns(subject: Subject): Promise<Outcome> {
  const columns = await readColumnDifferences(subject.session, subject.schema);
  if (columns.length === 0) return [];
  const statements = columns.map((column) => alike(column, subject.schema));
  const differing = columns.flatMap(({ name, onMessages, onArchive }) =>
    onMessages === null || onArchive === null
      ? []
      : [`; ${name} is ${onMessages} on messages and ${onArchive} on messages_archive`],
  );
  return {
    object: 'messages_archive',
    message: `messages and messages_archive differ in ${listed(columns.map(({ name }) => name))}${differing.join('')}`,
    impact: 'no month can be archived any more',
    fix: statements.some((statement) => statement === null) ? null : statements.join('\n'),
  };
}

async function examineLag(subject: Subject): Promise<Outcome> {
  const { set } = await subject.once(partitionLayout);
  const cutoffMs = subtractAge(new Date(), RETENTION).getTime();
  const months = set.partitions
    .filter(({ root, isDetachPending }) => root === 'messages' && !isDetachPending)
    .map(({ month }) => month)
    .filter((month): month is Month => month !== null && monthEndMs(month) <= cutoffMs)
    .toSorted();
  const [first] = months;
  if (first === undefined) return [];
  const count = months.length === 1 ? 'a month' : `${months.length} months`;
  return {
    object: 'messages',
    message: `messages still has ${count} older than ${RETENTION.months} months: ${formatMonths(first, months.at(-1) ?? first)}`,
    impact:
      'the job that archives does not run or does not get through; indexes, vacuum and queries of messages grow with it',
    fix: aisecCommand('archive', subject.schema),
  };
}

interface ExportRow {
  readonly month: Month;
  readonly file_name: string;
  readonly people: number;
}

async function examineErasures(subject: Subject): Promise<readonly Fault[]> {
  const { session, schema } = subject;
  // A schema that is older has neither.
  const { rows: known } = await session.query<{ hasBoth: boolean }>(
    `select pg_catalog.to_regclass('archive_journal') is not null and pg_catalog.to_regclass('erasures') is not null as "hasBoth"`,
  );
  if (known[0]?.hasBoth !== true) return [];
  const { rows } = await session.query<ExportRow>(sqlFile('doctor/exports-before-erasures'));
  const { set } = await subject.once(partitionLayout);
  return rows
    .filter(({ file_name: file }) => !isGoneHere(file))
    .map(({ month, file_name: file, people }) => {
      const isThere = set.partitions.some(
        (partition) => partition.root === 'messages_archive' && partition.month === month,
      );
      return {
        object: month,
        message: `the export ${file} of ${month} was written before ${countText(people, 'person', 'people')} of that month ${people === 1 ? 'was' : 'were'} erased`,
        impact: isThere
          ? 'it still holds what was erased'
          : 'it still holds what was erased, and the month is not in the database any more: import it, erase again, export it again; or delete the file',
        fix: isThere ? aisecCommand(`archive export ${month} --out ${shellWord(file)} --replace`, schema) : null,
      };
    });
}

export const ARCHIVE_CHECKS: readonly Check[] = [
  {
    id: 'archive-access',
    area: 'security',
    severity: 'critical',
    title: 'policies and grants of messages_archive that are not those of messages',
    examine: examineAccess,
  },
  {
    id: 'archive-columns',
    area: 'archive',
    severity: 'warning',
    title: 'columns that messages and messages_archive do not share',
    examine: examineColumns,
  },
  {
    id: 'archive-lag',
    area: 'archive',
    severity: 'warning',
    title: 'whole months older than six months (and a week) that are still in messages',
    examine: examineLag,
  },
  {
    id: 'archive-erasures',
    area: 'archive',
    severity: 'warning',
    title: 'exports of months that were written before people of that month were erased',
    grant: (schema, role) =>
      `grant usage on schema ${schema} to ${role}; grant select (id, month, action, file_name, finished_at) on ${schema}.archive_journal to ${role}; grant select (months, erased_at) on ${schema}.erasures to ${role}; alter role ${role} bypassrls;`,
    examine: examineErasures,
  },
];
