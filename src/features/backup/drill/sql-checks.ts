import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { countText } from '../../../base/count.js';
import { AisecError, endsRun, isAisecError, messageOf } from '../../../base/errors.js';
import { rollBack, type Session } from '../../../adapters/postgres/session.js';

/** A file of the user's whose statement finds what is wrong. */
export interface SqlCheck {
  readonly name: string;
  readonly text: string;
}

export interface SqlCheckResult {
  readonly name: string;
  readonly verdict: 'passed' | 'failed';
  /** Of its last statement; null when it ended with an error. */
  readonly rows: number | null;
  /** A full sentence; null when it passed. Without values of rows, which a record must not have. */
  readonly reason: string | null;
  readonly durationMs: number;
}

function isEmpty(text: string): boolean {
  return text.replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\//g, '').replaceAll(/[\s;]/g, '') === '';
}

/** Each .sql file of a directory, by name. @throws AisecError USAGE when there is none, or one without a statement. */
export function readSqlChecks(directory: string): readonly SqlCheck[] {
  const refuse = (message: string, hint: string, cause?: unknown): AisecError =>
    new AisecError('USAGE', message, { hint, cause });
  let checks: readonly SqlCheck[];
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.sql') && !name.startsWith('.'));
    checks = names.toSorted().map((name) => ({ name, text: readFileSync(path.join(directory, name), 'utf8') }));
  } catch (error) {
    throw refuse(`could not read the checks in "${directory}"`, `${messageOf(error)}.`, error);
  }
  if (checks.length === 0)
    throw refuse(
      `there is no .sql file in "${directory}"`,
      'Each file is one check: a query that returns what is wrong.',
    );
  const empty = checks.find(({ text }) => isEmpty(text));
  if (empty === undefined) return checks;
  throw refuse(`the check "${empty.name}" has no statement`, 'Write a query that returns what is wrong, or delete it.');
}

async function runCheck(session: Session, { name, text }: SqlCheck): Promise<SqlCheckResult> {
  const startedMs = performance.now();
  const result = (rows: number | null, reason: string | null): SqlCheckResult => ({
    name,
    verdict: reason === null ? 'passed' : 'failed',
    rows,
    reason,
    durationMs: Math.round(performance.now() - startedMs),
  });
  await session.query('begin');
  try {
    const { rows } = await session.query(text);
    return result(rows.length, rows.length === 0 ? null : `It returned ${countText(rows.length, 'row')}.`);
  } catch (error) {
    if (!isAisecError(error) || endsRun(error)) throw error;
    return result(null, `${error.message}${error.sqlState === undefined ? '' : ` (${error.sqlState})`}.`);
  } finally {
    await rollBack(session);
  }
}

/**
 * Runs each check in a transaction of its own that is rolled back. As in dbt's tests a check fails with an error, or when
 * its last statement returns rows.
 */
export async function runSqlChecks(
  checks: readonly SqlCheck[],
  withSession: <Result>(use: (session: Session) => Promise<Result>) => Promise<Result>,
  onProgress: (text: string) => void,
): Promise<readonly SqlCheckResult[]> {
  const results: SqlCheckResult[] = [];
  for (const check of checks) {
    onProgress(`check ${check.name}`);
    // Of its own: what a check sets on its session is not there for the next one.
    results.push(await withSession((session) => runCheck(session, check)));
  }
  return results;
}
