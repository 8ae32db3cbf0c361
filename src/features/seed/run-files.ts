import type { Session } from '../../adapters/postgres/session.js';
import { seedFailure } from './failure.js';
import type { SeedAction, SeedFile } from './seed-file.js';
import type { SeedSet } from './seed-directory.js';

export interface SeedWrite {
  readonly action: SeedAction;
  readonly table: string;
  readonly rows: number;
}

export interface SeededFile {
  readonly name: string;
  readonly rows: number;
  /** By action and table; those that wrote nothing, too. */
  readonly writes: readonly SeedWrite[];
}

/** What one file did; `rowsWithPassword` counts those of statements that read the admin password. */
export interface FileOutcome extends SeededFile {
  readonly rowsWithPassword: number;
}

async function runFile(session: Session, file: SeedFile, password: string): Promise<FileOutcome> {
  const writes = new Map<string, SeedWrite>();
  let rowsWithPassword = 0;
  for (const statement of file.statements) {
    const { action, table } = statement;
    try {
      const { rowCount } = await session.query(statement.text);
      const key = `${action} ${table}`;
      writes.set(key, { action, table, rows: (writes.get(key)?.rows ?? 0) + rowCount });
      if (statement.takesPassword) rowsWithPassword += rowCount;
    } catch (error) {
      throw seedFailure(error, file, statement, password);
    }
  }
  const list = [...writes.values()];
  return { name: file.name, rows: list.reduce((sum, { rows }) => sum + rows, 0), writes: list, rowsWithPassword };
}

/** Runs the statements of a set in the transaction that is open. @throws AisecError SEED_FAILED with the place. */
export async function runFiles(
  session: Session,
  set: SeedSet,
  password: string,
  onProgress: (text: string) => void,
): Promise<readonly FileOutcome[]> {
  const outcomes: FileOutcome[] = [];
  for (const file of set.files) {
    onProgress(`running ${file.name} (${outcomes.length + 1} of ${set.files.length})`);
    outcomes.push(await runFile(session, file, password));
  }
  return outcomes;
}
