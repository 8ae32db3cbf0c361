import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { parseStatements, type Statement } from '../../../adapters/sql-parser/statements.js';
import { sectionOf } from '../apply/section.js';
import { placeInSection, type MigrationFile } from '../files/migration-file.js';
import { explainedLock, type ExplainedStatement } from './explain.js';
import type { NewLock } from './effects.js';
import { expectedLocks, type ExpectedLock } from './expected.js';
import { conflictingUsers, type LockUser } from './lock-users.js';
import { shownText, touchedTables } from './measures.js';

interface Found extends NewLock {
  readonly work: ExpectedLock['work'];
}

async function findTables(session: Session, locks: readonly ExpectedLock[]): Promise<readonly Found[]> {
  if (locks.length === 0) return [];
  const { rows } = await session.query<Omit<NewLock, 'mode'> & { position: number }>(sqlFile('migrate/locked-tables'), [
    locks.map(({ schema }) => schema ?? null),
    locks.map(({ name }) => name),
  ]);
  return rows.flatMap(({ position, ...table }) => {
    const lock = locks[position - 1];
    return lock === undefined ? [] : [{ ...table, mode: lock.mode, work: lock.work }];
  });
}

/**
 * What one statement that cannot be rolled back would lock, read and rewrite, by its kind and the catalog as it is now.
 *
 * @param place of the statement in its file.
 */
export async function expectStatement(
  session: Session,
  statement: Statement,
  line: number,
  holders: readonly LockUser[],
): Promise<ExplainedStatement> {
  const found = await findTables(session, expectedLocks(statement));
  const at = (work: ExpectedLock['work']): readonly string[] => [
    ...new Set(found.filter((lock) => lock.work === work).map(({ relation }) => relation)),
  ];
  return {
    line,
    text: shownText(statement.text),
    isExecuted: false,
    durationMs: null,
    walBytes: null,
    locks: found.map((lock) => explainedLock(lock, 'end of statement')),
    rewritten: await touchedTables(session, at('rewrite')),
    scanned: await touchedTables(session, at('scan')),
    inUseBy: conflictingUsers(holders, found),
    keptWaiting: [],
  };
}

/** The same for each statement of an Up section. */
export async function expectSection(
  session: Session,
  file: MigrationFile,
  holders: readonly LockUser[],
): Promise<readonly ExplainedStatement[]> {
  const section = sectionOf(file, 'up');
  const parsed = await parseStatements(section.sql);
  if ('error' in parsed) return [];
  const expected: ExplainedStatement[] = [];
  for (const statement of parsed.statements) {
    const { line } = placeInSection(file, section, statement.offset);
    expected.push(await expectStatement(session, statement, line, holders));
  }
  return expected;
}
