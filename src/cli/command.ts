import type { Context, Session } from './context.js';
import type { ExitCode } from './exit-codes.js';
import { JOBS_OPTION, type OptionSpec } from './options.js';

// All that the file of a command needs to say what it is.
export type { Context, ExitCode, OptionSpec, Session };

/**
 * One command as data, with the function that runs it. The file of a command imports its operation only inside `run`,
 * so that `--help` loads no driver.
 */
export interface CommandSpec<Options extends object = object> {
  /** `migrate up`: a noun and a verb, or a noun alone. */
  readonly name: string;
  /** For the list of commands; lower case, no full stop. */
  readonly summary: string;
  readonly description: string;
  readonly argument?: { readonly syntax: string; readonly description: string };
  readonly options: readonly OptionSpec[];
  /** It may be run again from its beginning: after a failover it is, within its `--max-wait`. */
  readonly outlivesFailover?: true;
  /** It only reads and asks nothing: on a terminal a long result is shown page by page. */
  readonly isPaged?: true;
  /**
   * What it takes of several schemas. Undefined: one schema only, several are refused. `unused`: it works on no schema, or on
   * the whole database.
   * A function: it runs in each schema, at most `--jobs` at once; the function says in half a sentence, without times and
   * names, what a document of the command means, so that equal outcomes can be counted.
   */
  readonly acrossSchemas?: 'unused' | ((document: never) => string);
  /** A pattern finds empty schemas as well: the command makes the tables. */
  readonly makesTables?: true;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /**
   * Returns the exit code when it is not 0. `argument` is empty when the command takes none; `operands` are all of them
   * where it takes several (`[files...]`).
   */
  readonly run: (
    context: Context,
    options: Options,
    argument: string,
    operands: readonly string[],
  ) => Promise<ExitCode | undefined | void>;
}

/** Keeps the options' type inside the command; the list of commands does not need it. */
export function defineCommand<Options extends object>(spec: CommandSpec<Options>): CommandSpec {
  const isAcross = typeof spec.acrossSchemas === 'function';
  return (isAcross ? { ...spec, options: [...spec.options, JOBS_OPTION] } : spec) as unknown as CommandSpec;
}
