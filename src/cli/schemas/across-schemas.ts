import { AisecError, isAisecError } from '../../base/errors.js';
import { interruptionError } from '../../base/interruption.js';
import type { SchemaChoice } from '../../config/schema-choice.js';
import type { FoundSchemas } from '../../features/schemas/index.js';
import { createContext, keepSession, type ContextParts, type KeptSession } from '../context.js';
import { EXIT_CODE_BY_ERROR, type ExitCode } from '../exit-codes.js';
import { runCommand } from '../failover.js';
import type { Invocation } from '../program.js';
import { asAisecError } from '../terminal/error.js';
import { Prompt } from '../terminal/prompt.js';
import type { Streams } from '../terminal/streams.js';
import { Board } from './board.js';
import { CapturedOutput } from './captured-output.js';
import {
  countOutcomes,
  exitCodeOfAll,
  failedOutcome,
  notBegun,
  stateOf,
  type SchemaOutcome,
  type SeveralSchemas,
} from './outcome.js';
import { printSchemas } from './print.js';

/** What ends a whole run where it ends one schema: the next one could not be reached, either. */
const ENDS_ALL = ['DATABASE_UNREACHABLE', 'DATABASE_AUTH', 'DATABASE_MISSING', 'DATABASE_NOT_CONFIGURED'] as const;
/** Wrong usage of one schema, perhaps not of the next. */
const OF_ONE_SCHEMA = ['MIGRATION_UNKNOWN', 'MONTH_UNKNOWN', 'CONFIG_INVALID'] as const;

/** @throws AisecError USAGE where the command, or one of the options, is for one schema. */
export function refuseSeveral({ spec, options }: Invocation, isFlag: boolean): void {
  const [setting, code] = isFlag ? (['--schema', 'USAGE'] as const) : (['AISEC_SCHEMA', 'CONFIG_INVALID'] as const);
  if (typeof spec.acrossSchemas !== 'function')
    throw new AisecError(code, `aisec ${spec.name} works on one schema, and ${setting} names several`, {
      hint: 'Give one: --schema NAME (in double quotes where the name has a comma, * or ?).',
    });
  const values = options as Readonly<Record<string, unknown>>;
  for (const { flags, isForOneSchema } of spec.options) {
    const [, name = ''] = /--([a-z-]+)/.exec(flags) ?? [];
    const key = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    if (isForOneSchema !== true || values[key] === undefined || values[key] === false) continue;
    throw new AisecError(code, `--${name} is for one schema, and ${setting} names several`, {
      hint: 'Give one: --schema NAME',
    });
  }
}

async function schemasOf(choice: SchemaChoice, parts: ContextParts, makesTables: boolean): Promise<FoundSchemas> {
  if (choice.kind === 'names' && choice.names.every(({ isPattern }) => !isPattern))
    return { schemas: choice.names.map(({ text }) => text), left: [] };
  const { findSchemas } = await import('../../features/schemas/index.js');
  const context = createContext({ ...parts, config: { ...parts.config, schema: 'public' } });
  const found = await context.withDatabase({ statementTimeoutMs: 60_000 }, (session) =>
    findSchemas(session, choice, makesTables),
  );
  if (found.schemas.length > 0) return found;
  throw new AisecError('USAGE', `--schema: "${parts.config.schema}" finds no schema`, {
    detail:
      found.left.length === 0
        ? undefined
        : `These match and hold no migrations of aisec: ${found.left.slice(0, 10).join(', ')}.`,
    hint: 'A pattern finds schemas that are there. To make new ones: aisec migrate up --schema NAME,NAME',
  });
}

/** One run of a command over several schemas. */
class Run {
  readonly #invocation: Invocation;
  readonly #parts: ContextParts;
  readonly #streams: Streams;
  readonly #board: Board;
  readonly #left: string[];
  readonly #first: string | undefined;
  readonly outcomes = new Map<string, SchemaOutcome>();
  /** What stopped it before its end. */
  stoppedBy: AisecError | undefined;
  readonly errors: AisecError[] = [];
  database: string | null = null;
  isDone = true;

  constructor(invocation: Invocation, parts: ContextParts, streams: Streams, schemas: readonly string[]) {
    this.#invocation = invocation;
    this.#parts = parts;
    this.#streams = streams;
    this.#board = new Board(parts.progress, streams, schemas.length);
    this.#left = [...schemas];
    [this.#first] = schemas;
  }

  /** Takes one schema after the other until none is left. */
  async work(): Promise<void> {
    const keptSession = await keepSession();
    const output = await CapturedOutput.create(this.#parts.output.options);
    try {
      for (;;) {
        const schema = this.#parts.signal.aborted || this.stoppedBy !== undefined ? undefined : this.#left.shift();
        if (schema === undefined) return;
        const outcome = await this.#runIn(schema, output, keptSession);
        this.outcomes.set(schema, outcome);
        this.#board.count(outcome.state !== 'done');
      }
    } finally {
      await keptSession.close();
    }
  }

  async #runIn(schema: string, output: CapturedOutput, keptSession: KeptSession): Promise<SchemaOutcome> {
    const startedMs = performance.now();
    try {
      const exitCode = await this.#runCommand(schema, output, keptSession);
      const { document = {}, isDone, notes, warnings } = output.take();
      if (!isDone) this.isDone = false;
      const { database } = document as { readonly database?: string };
      this.database ??= database ?? null;
      const { acrossSchemas } = this.#invocation.spec;
      const summary =
        typeof acrossSchemas === 'function' ? acrossSchemas(document as never) : (notes[0] ?? stateOf(exitCode));
      const durationMs = Math.round(performance.now() - startedMs);
      return {
        schema,
        state: stateOf(exitCode),
        exitCode,
        summary,
        durationMs,
        warnings,
        result: document,
        error: null,
      };
    } catch (thrown) {
      const error = asAisecError(thrown);
      const { warnings } = output.take();
      this.errors.push(error);
      this.#stopFor(error);
      return { ...failedOutcome(schema, error, Math.round(performance.now() - startedMs)), warnings };
    }
  }

  #stopFor(error: AisecError): void {
    const isUsage = EXIT_CODE_BY_ERROR[error.code] === 2 && !isAisecError(error, ...OF_ONE_SCHEMA);
    if (isUsage || isAisecError(error, ...ENDS_ALL)) this.stoppedBy ??= error;
  }

  #runCommand(schema: string, output: CapturedOutput, keptSession: KeptSession): Promise<ExitCode> {
    const { config, signal } = this.#parts;
    const parts = {
      ...this.#parts,
      config: { ...config, schema, schemas: undefined },
      isFirstSchema: schema === this.#first,
      output,
      keptSession,
      progress: this.#board.progressOf(schema),
      prompt: new Prompt(this.#streams, { isAllowed: false, signal, onInterrupt: () => undefined }),
    };
    return runCommand(this.#invocation, parts, () => undefined);
  }
}

async function jobsFor(parts: ContextParts, wanted: number, count: number): Promise<number> {
  const { resolveDatabaseTarget } = await import('../../config/database-target.js');
  // One process has the embedded database, and one session is all there is.
  const isEmbedded = resolveDatabaseTarget(parts.config, true).kind === 'embedded';
  return isEmbedded ? 1 : Math.min(wanted, count);
}

/**
 * Runs a command once in each of the schemas that the choice names or finds, at most `--jobs` at once. One that ends with an
 * error does not stop the others; a server that cannot be reached, or an option that is wrong, does.
 *
 * @returns the weightiest exit code of them all
 * @throws AisecError USAGE where the command is for one schema or no schema is found, and whatever ends the first one and
 *   would end all.
 */
export async function acrossSchemas(
  invocation: Invocation,
  parts: ContextParts,
  streams: Streams,
  choice: SchemaChoice,
): Promise<ExitCode> {
  const { spec, options } = invocation;
  const startedMs = performance.now();
  const { schemas, left } = await schemasOf(choice, parts, spec.makesTables === true);
  const { jobs: wanted } = options as { readonly jobs: number };
  const jobs = await jobsFor(parts, wanted, schemas.length);
  const run = new Run(invocation, parts, streams, schemas);
  await Promise.all(Array.from({ length: jobs }, () => run.work()));
  const { stoppedBy } = run;
  const [error] = run.errors;
  const isSame = run.errors.length === run.outcomes.size && run.errors.every(({ code }) => code === error?.code);
  if (error !== undefined && isSame && (stoppedBy !== undefined || EXIT_CODE_BY_ERROR[error.code] === 2)) throw error;
  const outcomes = schemas.map((schema) => run.outcomes.get(schema) ?? notBegun(schema));
  const document: SeveralSchemas = {
    command: spec.name,
    database: run.database,
    jobs,
    durationMs: Math.round(performance.now() - startedMs),
    counts: countOutcomes(outcomes),
    left,
    schemas: outcomes,
  };
  printSchemas(parts.output, document, run.isDone);
  return exitCodeOfAll(outcomes, parts.signal.aborted ? interruptionError(parts.signal) : stoppedBy);
}
