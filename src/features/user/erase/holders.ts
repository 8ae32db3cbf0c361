import { isGoneHere } from '../../../adapters/files/gone.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { subtractAge, type Age } from '../../../base/age.js';
import { listBackups } from '../../backup/index.js';
import { exportedMonths } from '../../messages/index.js';
import type { Holder } from './certificate.js';
import { aisecCommand, shellWord } from '../../../base/package/aisec-command.js';

export interface HolderOptions {
  readonly schema: string;
  /** Of the backups; undefined: none were made here. */
  readonly backupDirectory: string | undefined;
  /** How long backups are kept; undefined: not known. */
  readonly backupsKept: Age | undefined;
  /** Months of the person's messages that are in the database. */
  readonly months: readonly string[];
  /** RFC 3339: what was made later has nothing of the person. */
  readonly erasedAt: string;
}

function later(createdAt: string, { months, days }: Age): string {
  return subtractAge(new Date(createdAt), { months: -months, days: -days }).toISOString();
}

async function monthExports(session: Session, options: HolderOptions): Promise<readonly Holder[]> {
  const exports = await exportedMonths(session, options.schema);
  return exports
    .filter(({ exportedAt }) => exportedAt.toISOString() < options.erasedAt)
    .filter(({ month, isInDatabase }) => !isInDatabase || options.months.includes(month))
    .map(({ month, file, exportedAt, isInDatabase }) => ({
      kind: 'month export',
      place: file,
      month,
      createdAt: exportedAt.toISOString(),
      until: null,
      fix: aisecCommand(
        isInDatabase
          ? `archive export ${month} --out ${shellWord(file)} --replace`
          : `archive import ${shellWord(file)}`,
        options.schema,
      ),
    }));
}

async function backups(session: Session, options: HolderOptions): Promise<readonly Holder[]> {
  const { backupDirectory, backupsKept, erasedAt } = options;
  if (backupDirectory === undefined) return [];
  const { backups: listed } = await listBackups(backupDirectory).catch(() => ({ backups: [] }));
  return listed
    .filter(({ database }) => database === session.info.databaseName)
    .filter(({ createdAt }) => createdAt < erasedAt)
    .flatMap(({ file, createdAt, isPinned, offsite }) =>
      [file, ...offsite].map((place) => ({
        kind: 'backup' as const,
        place,
        month: null,
        createdAt,
        until: isPinned || backupsKept === undefined ? null : later(createdAt, backupsKept),
        fix: isPinned ? `aisec backup pin ${shellWord(file)} --remove` : null,
      })),
    );
}

/** The files that were written before the erasure and have data of the person still. */
export async function findHolders(session: Session, options: HolderOptions): Promise<readonly Holder[]> {
  return [...(await monthExports(session, options)), ...(await backups(session, options))];
}

/** Those that still have them: not an export that was rewritten since, nor a file that was deleted on this machine. */
export async function remainingHolders(
  session: Session,
  schema: string,
  holders: readonly Holder[],
): Promise<readonly Holder[]> {
  const exports = await exportedMonths(session, schema);
  return holders.filter(({ kind, place, createdAt }) => {
    if (isGoneHere(place)) return false;
    if (kind === 'backup') return true;
    const now = exports.find(({ file }) => file === place);
    return now === undefined || now.exportedAt.toISOString() === createdAt;
  });
}
