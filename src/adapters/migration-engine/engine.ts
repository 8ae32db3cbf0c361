import { Migration, type RunnerOption } from 'node-pg-migrate';

export type Direction = 'up' | 'down';

export interface EngineRun {
  /** File name without extension; goes into the history table. */
  readonly name: string;
  readonly direction: Direction;
  readonly schema: string;
  /** Where it writes its row; one for each source of migrations. */
  readonly historyTable: string;
  /** Sent one by one, in this order, before the engine's own row. */
  readonly statements: readonly string[];
  /** Whether the engine puts BEGIN and COMMIT around it all. */
  readonly isTransactional: boolean;
}

const silent = (): void => undefined;
const SILENT = { info: silent, warn: silent, error: silent };

/**
 * Lets node-pg-migrate's Migration run one migration: it decides what is sent in which order, and writes its table
 * as its own command line would. Its runner is not used: it reads its files with a loose parser, compares history by
 * position, and keeps its lock when a migration fails (docs/adr/0002).
 */
export async function runThroughEngine(run: EngineRun, send: (sql: string) => Promise<void>): Promise<void> {
  const query = async (sql: unknown): Promise<unknown> => {
    await send(String(sql));
    return { rows: [] };
  };
  // The engine wraps the schema in quotes without escaping it.
  const migrationsSchema = run.schema.replaceAll('"', '""');
  const options = { migrationsTable: run.historyTable, migrationsSchema, singleTransaction: false };
  const action = (builder: { sql: (text: string) => void; noTransaction: () => unknown }): void => {
    if (!run.isTransactional) builder.noTransaction();
    for (const statement of run.statements) builder.sql(statement);
  };
  const unused = (): never => {
    throw new Error(`the other direction of ${run.name} was asked for`);
  };
  const actions = run.direction === 'up' ? { up: action, down: unused } : { up: unused, down: action };
  const database = { query, select: query, column: query } as unknown as ConstructorParameters<typeof Migration>[0];
  const migration = new Migration(database, `${run.name}.sql`, actions, options as unknown as RunnerOption, {}, SILENT);
  await migration.apply(run.direction);
}
