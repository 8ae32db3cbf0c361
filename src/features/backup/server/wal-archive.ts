import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { Session } from '../../../adapters/postgres/session.js';

/** A program for point-in-time recovery that a server's WAL goes to. */
export interface WalArchive {
  readonly program: 'pgBackRest' | 'Barman' | 'WAL-G';
  /** The command that lists its base backups, to be run where it is installed. */
  readonly listCommand: string;
  /** `streaming`: the server does not see how it fares, only that it is connected. */
  readonly state: 'archiving' | 'failing' | 'nothing yet' | 'streaming';
  /** When the last segment was archived. */
  readonly archivedAt: Date | null;
}

const PROGRAMS: readonly (Pick<WalArchive, 'program' | 'listCommand'> & {
  readonly pattern: RegExp;
})[] = [
  { program: 'pgBackRest', pattern: /\bpgbackrest\b/i, listCommand: 'pgbackrest info' },
  { program: 'Barman', pattern: /\bbarman\b|barman[-_]/i, listCommand: 'barman list-backups all' },
  { program: 'WAL-G', pattern: /\bwal-[ge]\b/i, listCommand: 'wal-g backup-list' },
];

export interface ArchiverState {
  readonly command: string;
  readonly library: string;
  readonly receivers: readonly string[];
  readonly isFailing: boolean;
  readonly archivedAt: Date | null;
}

/** Which program it is, by archive_command, archive_library or the name of what streams; undefined: none that is known. */
export function recognizeArchive({
  command,
  library,
  receivers,
  isFailing,
  archivedAt,
}: ArchiverState): WalArchive | undefined {
  const named = (text: string): (typeof PROGRAMS)[number] | undefined =>
    PROGRAMS.find(({ pattern }) => pattern.test(text));
  // With a library the command is not run.
  const byServer = named(library === '' ? command : library);
  const state = isFailing ? 'failing' : archivedAt === null ? 'nothing yet' : 'archiving';
  if (byServer !== undefined)
    return { program: byServer.program, listCommand: byServer.listCommand, state, archivedAt };
  const streaming = receivers.map(named).find((program) => program !== undefined);
  if (streaming === undefined) return undefined;
  return { program: streaming.program, listCommand: streaming.listCommand, state: 'streaming', archivedAt: null };
}

/** Asks the server which program archives its WAL. */
export async function readWalArchive(session: Session): Promise<WalArchive | undefined> {
  const { rows } = await session.query<{
    readonly command: string;
    readonly library: string;
    readonly receivers: readonly string[];
    readonly is_failing: boolean;
    readonly archived_at: Date | null;
  }>(sqlFile('backup/wal-archive'));
  const [row] = rows;
  if (row === undefined) return undefined;
  const { command, library, receivers, is_failing: isFailing, archived_at: archivedAt } = row;
  return recognizeArchive({ command, library, receivers, isFailing, archivedAt });
}
