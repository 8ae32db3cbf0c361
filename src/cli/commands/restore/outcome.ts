/** What a way of restoring has to print. */
export interface Outcome<Result> {
  readonly result: Result;
  /** For stdout. */
  readonly text: string;
  /** For stderr, after the warnings of the result. */
  readonly notes: readonly string[];
  /** Whether a person has to act: exit 3. */
  readonly isIncomplete?: boolean;
}
