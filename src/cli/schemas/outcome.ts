import type { AisecError } from '../../base/errors.js';
import { EXIT_CODE_BY_ERROR, type ExitCode } from '../exit-codes.js';
import { errorFields, type ErrorFields } from '../terminal/error.js';

export type SchemaState = 'done' | 'findings' | 'busy' | 'refused' | 'failed' | 'interrupted' | 'not begun';

/** What became of one schema. */
export interface SchemaOutcome {
  readonly schema: string;
  readonly state: SchemaState;
  /** As the command alone would have ended; null when it was not begun. */
  readonly exitCode: ExitCode | null;
  /** In a few words, equal where equal things happened. */
  readonly summary: string;
  readonly durationMs: number | null;
  readonly warnings: readonly string[];
  /** The document of the command as its own JSON Schema has it; null when it ended with an error. */
  readonly result: object | null;
  readonly error: ErrorFields | null;
}

/** What a command did in several schemas. */
export interface SeveralSchemas {
  readonly command: string;
  /** Null when no schema was reached. */
  readonly database: string | null;
  readonly jobs: number;
  readonly durationMs: number;
  readonly counts: {
    readonly schemas: number;
    readonly done: number;
    readonly findings: number;
    readonly busy: number;
    readonly refused: number;
    readonly failed: number;
    readonly interrupted: number;
    readonly notBegun: number;
  };
  /** Schemas that the pattern matches and that hold no migrations of aisec. */
  readonly left: readonly string[];
  /** In the order in which they were chosen. */
  readonly schemas: readonly SchemaOutcome[];
}

const STATE_BY_CODE: Partial<Record<ExitCode, SchemaState>> = {
  0: 'done',
  3: 'findings',
  5: 'busy',
  6: 'refused',
  130: 'interrupted',
  143: 'interrupted',
};

export function stateOf(exitCode: ExitCode): SchemaState {
  return STATE_BY_CODE[exitCode] ?? 'failed';
}

/** The first of these that a schema ended with is the exit code of the whole: what a person has to look at comes first. */
const BY_WEIGHT: readonly ExitCode[] = [130, 143, 1, 2, 4, 6, 5, 3];

export function exitCodeOfAll(outcomes: readonly SchemaOutcome[], stoppedBy: AisecError | undefined): ExitCode {
  const codes = new Set(outcomes.map(({ exitCode }) => exitCode));
  if (stoppedBy !== undefined) codes.add(EXIT_CODE_BY_ERROR[stoppedBy.code]);
  return BY_WEIGHT.find((code) => codes.has(code)) ?? 0;
}

const NOTHING = { warnings: [], result: null, error: null } as const;

export function failedOutcome(schema: string, error: AisecError, durationMs: number): SchemaOutcome {
  const exitCode = EXIT_CODE_BY_ERROR[error.code];
  return {
    schema,
    state: stateOf(exitCode),
    exitCode,
    summary: error.message,
    durationMs,
    ...NOTHING,
    error: errorFields(error),
  };
}

export function notBegun(schema: string): SchemaOutcome {
  return { schema, state: 'not begun', exitCode: null, summary: 'not begun', durationMs: null, ...NOTHING };
}

export function countOutcomes(outcomes: readonly SchemaOutcome[]): SeveralSchemas['counts'] {
  const count = (state: SchemaState): number => outcomes.filter((outcome) => outcome.state === state).length;
  return {
    schemas: outcomes.length,
    done: count('done'),
    findings: count('findings'),
    busy: count('busy'),
    refused: count('refused'),
    failed: count('failed'),
    interrupted: count('interrupted'),
    notBegun: count('not begun'),
  };
}
