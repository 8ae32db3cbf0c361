/** One option of a command, as data. */
export interface OptionSpec {
  /** As commander takes it: `--lock-timeout <duration>`. */
  readonly flags: string;
  readonly description: string;
  /** Of an option with a value; one without is false until it is given. */
  readonly default?: string;
  /** Reads the text; throws AisecError USAGE for what cannot be read. */
  readonly parse?: (text: string) => unknown;
  /** Makes no sense where several schemas are chosen: what it does is for one, or goes to a terminal. */
  readonly isForOneSchema?: true;
  /** All that `parse` takes, for completion. */
  readonly values?: readonly string[];
  /** May be given several times; the command gets a list. */
  readonly isRepeatable?: true;
}
