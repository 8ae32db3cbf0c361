import type { Context } from './context.js';
import type { ExitCode } from './exit-codes.js';

export interface OptionSpec {
  /** As commander takes it: `--lock-timeout <duration>`. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string | boolean;
  /** Reads the text; throws AisecError USAGE for what cannot be read. */
  readonly parse?: (text: string) => unknown;
  /** All that `parse` takes, for completion. */
  readonly values?: readonly string[];
  /** May be given several times; the command gets a list. */
  readonly isRepeatable?: true;
}

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
  ) => Promise<ExitCode | undefined>;
}

/** Keeps the options' type inside the command; the list of commands does not need it. */
export function defineCommand<Options extends object>(spec: CommandSpec<Options>): CommandSpec {
  return spec as unknown as CommandSpec;
}
