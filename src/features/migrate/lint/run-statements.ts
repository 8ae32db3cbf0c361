import { isConcurrent } from '../../../adapters/sql-parser/concurrent.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { startAgain } from '../../../adapters/postgres/start-again.js';
import { endsRun, isAisecError } from '../../../base/errors.js';
import type { MigrationFile } from '../files/migration-file.js';
import { transactionSettings } from '../apply/apply.js';
import { UNREAD_NODE, type LintedStatement, type Surroundings } from './rule.js';

const SAVEPOINT = 'aisec_lint';

interface Names {
  readonly schema: string;
  readonly extensionSchema: string;
}

/**
 * Runs the statements of one file after the other on the replay, late: what no rule asks about is sent in one go, which
 * takes a tenth of the time. A statement that fails is undone alone, and the next one runs.
 */
export class StatementRunner {
  readonly #session: Session;
  readonly #names: Names;
  #waiting: LintedStatement[] = [];
  #isTransactional = true;
  readonly #failures = new Map<LintedStatement, NonNullable<Surroundings['failure']>>();

  constructor(session: Session, names: Names) {
    this.#session = session;
    this.#names = names;
  }

  async begin(file: MigrationFile): Promise<void> {
    await startAgain(this.#session);
    // Else the scans of earlier transactions that were not reported yet count as this one's.
    await this.#session.query('select pg_catalog.pg_stat_force_next_flush()');
    this.#isTransactional = file.isTransactional;
    if (file.isTransactional)
      await this.#session.query(`begin; ${transactionSettings({ ...this.#names, lockTimeoutMs: 0 })}`);
  }

  add(statement: LintedStatement): void {
    // The replay is of PostgreSQL 18, which does not know it either.
    if (statement.node !== UNREAD_NODE) this.#waiting.push(statement);
  }

  /** Sends what waits. */
  async flush(): Promise<void> {
    const statements = this.#waiting;
    this.#waiting = [];
    if (statements.length === 0) return;
    if (!this.#isTransactional) {
      for (const statement of statements) await this.#runAlone(statement);
      return;
    }
    const all = statements.map(({ text }) => `${text};`).join('\n');
    try {
      await this.#session.query(`savepoint ${SAVEPOINT}; ${all}\n; release savepoint ${SAVEPOINT}`);
    } catch (error) {
      if (!isAisecError(error) || endsRun(error)) throw error;
      await this.#session.query(`rollback to savepoint ${SAVEPOINT}`);
      for (const statement of statements) await this.#runInSavepoint(statement);
    }
  }

  /** Counts rows as they are before what comes next; undefined when the query does not run. */
  async count(query: string): Promise<number | undefined> {
    await this.flush();
    if (this.#isTransactional) await this.#session.query(`savepoint ${SAVEPOINT}`);
    try {
      const { rows } = await this.#session.query<{ count: number }>(query);
      return rows[0]?.count;
    } catch (error) {
      if (!isAisecError(error) || endsRun(error)) throw error;
      return undefined;
    } finally {
      if (this.#isTransactional && !this.#session.isLost)
        await this.#session.cleanUp(`rollback to savepoint ${SAVEPOINT}; release savepoint ${SAVEPOINT}`);
    }
  }

  failureOf(statement: LintedStatement): Surroundings['failure'] {
    return this.#failures.get(statement);
  }

  async end(): Promise<void> {
    await this.flush();
    if (!this.#isTransactional) return;
    try {
      await this.#session.query('commit');
    } catch (error) {
      if (!isAisecError(error) || endsRun(error)) throw error;
      await this.#session.cleanUp('rollback');
    }
  }

  async #runAlone(statement: LintedStatement): Promise<void> {
    try {
      await this.#session.query(statement.text);
    } catch (error) {
      this.#record(statement, error);
    }
  }

  async #runInSavepoint(statement: LintedStatement): Promise<void> {
    try {
      if (isConcurrent(statement)) throw new Error('a concurrent statement cannot run inside a transaction');
      await this.#session.query(`savepoint ${SAVEPOINT}; ${statement.text}\n; release savepoint ${SAVEPOINT}`);
    } catch (error) {
      this.#record(statement, error);
      await this.#session.query(`rollback to savepoint ${SAVEPOINT}`).catch(() => undefined);
    }
  }

  #record(statement: LintedStatement, error: unknown): void {
    if (endsRun(error)) throw error;
    const { message, sqlState } = error as { readonly message: string; readonly sqlState?: string };
    this.#failures.set(statement, { message, sqlState });
  }
}
